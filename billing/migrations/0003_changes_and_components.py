"""Scheduled changes, coupons at work, components of usage; new columns are empty at first."""

from __future__ import annotations

import billing.models.schedule
import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models


# Rows that are frozen get new columns; the guards come back when those are filled.
WITHOUT_GUARDS = """
DROP FUNCTION bursar_guard_usage_event CASCADE;
DROP FUNCTION bursar_guard_invoice CASCADE;
DROP FUNCTION bursar_guard_invoice_line CASCADE;
"""


class Migration(migrations.Migration):
    """Tables and columns."""

    dependencies = [
        ('billing', '0002_guards'),
        ('customers', '0001_initial'),
        ('plans', '0002_coupons_and_aggregations'),
    ]

    operations = [
        migrations.RunSQL(WITHOUT_GUARDS, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='Redemption',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('periods_left', models.PositiveIntegerField(blank=True, null=True)),
                ('covers_until', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ScheduledChange',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('due_at', models.DateTimeField()),
                ('is_at_period_end', models.BooleanField(default=False)),
                ('quantity', models.PositiveIntegerField(blank=True, null=True)),
                ('billing_anchor', models.DateTimeField(blank=True, null=True)),
                ('act', models.CharField(blank=True, choices=[('CANCEL', 'Cancel'), ('PAUSE', 'Pause'), ('RESUME', 'Resume')], default='', max_length=8)),
                ('charge', models.CharField(blank=True, choices=[('PRORATE', 'Prorate'), ('FULL', 'Full'), ('RESET', 'Reset'), ('NONE', 'None')], default='', max_length=8)),
                ('status', models.CharField(choices=[('PENDING', 'Pending'), ('APPLIED', 'Applied'), ('WITHDRAWN', 'Withdrawn'), ('FAILED', 'Failed')], default=billing.models.schedule.ChangeStatus['PENDING'], max_length=12)),
                ('reason', models.CharField(blank=True, default='', max_length=500)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('settled_by', models.CharField(blank=True, default='', max_length=255)),
                ('created_by', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='UsageValue',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('component', models.CharField(max_length=255)),
                ('value', models.TextField()),
                ('events', models.PositiveBigIntegerField()),
                ('day', models.DateField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='invoiceline',
            name='line_kind_known',
        ),
        migrations.RemoveConstraint(
            model_name='usageevent',
            name='usage_event_counted_once',
        ),
        migrations.RemoveConstraint(
            model_name='usagetotal',
            name='one_total_per_period_and_meter',
        ),
        migrations.RemoveConstraint(
            model_name='usagetotal',
            name='only_a_closed_total_is_late',
        ),
        migrations.AddField(
            model_name='billingperiod',
            name='advance_gross_minor',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='billingperiod',
            name='advance_net_minor',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='billingperiod',
            name='advance_used',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='billingperiod',
            name='charged_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='billingperiod',
            name='counts_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='billingperiod',
            name='filters',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='billingperiod',
            name='plan_version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='plans.planversion'),
        ),
        migrations.AddField(
            model_name='billingperiod',
            name='recurring_minor',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='invoice',
            name='discount_minor',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='invoice',
            name='period_end',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='period_start',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='billing_period',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.billingperiod'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='component',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='created_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='currency',
            field=models.CharField(max_length=3, null=True),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='customer',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='discount_minor',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='discount_rate',
            field=models.DecimalField(decimal_places=12, default=0, max_digits=13),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='plan_id',
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='subscription',
            name='starts_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='subscription',
            name='trial_days',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='usageday',
            name='aggregation',
            field=models.CharField(choices=[('SUM', 'Sum'), ('COUNT', 'Count'), ('MAX', 'Max'), ('LAST', 'Last'), ('UNIQUE', 'Unique')], max_length=8, null=True),
        ),
        migrations.AddField(
            model_name='usageday',
            name='latest_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='usageevent',
            name='revision',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='usageevent',
            name='withdrawn_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='usageevent',
            name='withdrawn_by',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='usagetotal',
            name='aggregation',
            field=models.CharField(choices=[('SUM', 'Sum'), ('COUNT', 'Count'), ('MAX', 'Max'), ('LAST', 'Last'), ('UNIQUE', 'Unique')], max_length=8, null=True),
        ),
        migrations.AddField(
            model_name='usagetotal',
            name='billed_quantity',
            field=models.DecimalField(blank=True, decimal_places=12, max_digits=38, null=True),
        ),
        migrations.AddField(
            model_name='usagetotal',
            name='component',
            field=models.CharField(max_length=255, null=True),
        ),
        migrations.AddField(
            model_name='usagetotal',
            name='latest_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='invoice',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='billing.invoice'),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='kind',
            field=models.CharField(choices=[('RECURRING', 'Recurring'), ('USAGE', 'Usage'), ('MINIMUM', 'Minimum'), ('ITEM', 'Item'), ('UNUSED', 'Unused'), ('ADJUSTMENT', 'Adjustment'), ('CARRIED', 'Carried')], max_length=12),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='position',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='redemption',
            name='coupon',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='plans.coupon'),
        ),
        migrations.AddField(
            model_name='redemption',
            name='subscription',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='billing.subscription'),
        ),
        migrations.AddField(
            model_name='scheduledchange',
            name='coupon',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='plans.coupon'),
        ),
        migrations.AddField(
            model_name='scheduledchange',
            name='plan_version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='plans.planversion'),
        ),
        migrations.AddField(
            model_name='scheduledchange',
            name='subscription',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='billing.subscription'),
        ),
        migrations.AddField(
            model_name='usagevalue',
            name='meter',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='plans.meter'),
        ),
        migrations.AddField(
            model_name='usagevalue',
            name='period',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.billingperiod'),
        ),
    ]
