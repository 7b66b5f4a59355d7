"""Tokens that expire and are rotated, with who made and ended them, and when they were used."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Tables only."""

    dependencies = [("billing", "0013_ask_about_what_waits")]

    operations = [
        migrations.AddField(
            model_name='apirequest',
            name='effect_id',
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='created_by',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='expires_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='last_used_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='predecessor',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='successors', to='billing.apitoken'),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='revoked_by',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AlterField(
            model_name='apitoken',
            name='prefix',
            field=models.CharField(db_index=True, max_length=16),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('predecessor',), name='one_successor_per_token'),
        ),
    ]
