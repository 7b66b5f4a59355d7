"""Coupons, and meters that count the greatest, the latest, or unique values."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.functions.text
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    """Tables and columns."""

    dependencies = [
        ('plans', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Coupon',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('code', models.SlugField(max_length=64)),
                ('percent_off', models.DecimalField(blank=True, decimal_places=12, max_digits=15, null=True)),
                ('amount_off', models.DecimalField(blank=True, decimal_places=12, max_digits=27, null=True)),
                ('currency', models.CharField(blank=True, default='', max_length=3)),
                ('duration', models.CharField(choices=[('ONCE', 'Once'), ('REPEATING', 'Repeating'), ('FOREVER', 'Forever')], default='ONCE', max_length=12)),
                ('periods', models.PositiveIntegerField(blank=True, null=True)),
                ('max_redemptions', models.PositiveIntegerField(blank=True, null=True)),
                ('redemptions', models.PositiveIntegerField(default=0)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('plan_ids', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, default=list, size=None)),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='meter',
            name='field',
            field=models.CharField(blank=True, default='', max_length=64, verbose_name='property'),
        ),
        migrations.AlterField(
            model_name='meter',
            name='aggregation',
            field=models.CharField(choices=[('SUM', 'Sum'), ('COUNT', 'Count'), ('MAX', 'Max'), ('LAST', 'Last'), ('UNIQUE', 'Unique')], default='SUM', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='meter',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('aggregation', 'UNIQUE'), _negated=True), models.Q(('field', ''), _negated=True), _connector='OR'), name='unique_of_a_property'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('code'), name='one_coupon_per_code_whatever_its_case'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_off', None), ('currency', ''), ('percent_off__gt', 0), ('percent_off__lte', 100)), models.Q(('amount_off__gt', 0), ('percent_off', None), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='coupon_takes_a_percentage_or_an_amount'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('duration', 'REPEATING'), ('periods__gt', 0)), models.Q(('periods', None), models.Q(('duration', 'REPEATING'), _negated=True)), _connector='OR'), name='a_repeating_coupon_says_how_often'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(('max_redemptions', None), ('redemptions__lte', models.F('max_redemptions')), _connector='OR'), name='coupon_redeemed_within_its_limit'),
        ),
    ]
