"""The new columns are filled: what was before goes, and the constraints come."""

from __future__ import annotations

import billing.core.invoicing
import billing.models.schedule
import django.db.models.deletion
import plans.terms
from django.db import migrations, models


class Migration(migrations.Migration):
    """Constraints and indexes."""

    dependencies = [
        ('billing', '0004_fill_from_before'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='billingperiod', name='period_has_a_length'),
        migrations.AddConstraint(
            model_name='billingperiod',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gte', models.F('starts_at'))), name='period_ends_after_its_start'),
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='period',
        ),
        migrations.RemoveField(
            model_name='subscription',
            name='terms',
        ),
        migrations.RemoveField(
            model_name='usagetotal',
            name='is_closed',
        ),
        migrations.RemoveField(
            model_name='usagetotal',
            name='late_quantity',
        ),
        migrations.AlterField(
            model_name='billingperiod',
            name='charged_until',
            field=models.DateTimeField(),
        ),
        migrations.AlterField(
            model_name='billingperiod',
            name='counts_until',
            field=models.DateTimeField(),
        ),
        migrations.AlterField(
            model_name='billingperiod',
            name='plan_version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='plans.planversion'),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='created_at',
            field=models.DateTimeField(),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='currency',
            field=models.CharField(max_length=3),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='customer',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer'),
        ),
        migrations.AlterField(
            model_name='usageday',
            name='aggregation',
            field=models.CharField(choices=[('SUM', 'Sum'), ('COUNT', 'Count'), ('MAX', 'Max'), ('LAST', 'Last'), ('UNIQUE', 'Unique')], max_length=8),
        ),
        migrations.AlterField(
            model_name='usagetotal',
            name='aggregation',
            field=models.CharField(choices=[('SUM', 'Sum'), ('COUNT', 'Count'), ('MAX', 'Max'), ('LAST', 'Last'), ('UNIQUE', 'Unique')], max_length=8),
        ),
        migrations.AlterField(
            model_name='usagetotal',
            name='component',
            field=models.CharField(max_length=255),
        ),
        migrations.AddIndex(
            model_name='invoiceline',
            index=models.Index(condition=models.Q(('invoice', None)), fields=['customer'], name='line_that_waits'),
        ),
        migrations.AddIndex(
            model_name='usagetotal',
            index=models.Index(condition=models.Q(('billed_quantity__isnull', False), models.Q(('billed_quantity', models.F('quantity')), _negated=True)), fields=['period'], name='usage_total_to_adjust'),
        ),
        migrations.AddConstraint(
            model_name='billingperiod',
            constraint=models.CheckConstraint(condition=models.Q(('counts_until__gte', models.F('starts_at')), ('counts_until__lte', models.F('ends_at'))), name='period_counts_within_itself'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['RECURRING', 'USAGE', 'MINIMUM', 'ITEM', 'UNUSED', 'ADJUSTMENT', 'CARRIED'])), name='line_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', billing.core.invoicing.LineKind['USAGE'])), fields=('billing_period', 'component'), name='usage_billed_once_per_period'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('invoice', None), ('position', None)), models.Q(('discount_minor__isnull', False), ('invoice__isnull', False), ('position__isnull', False)), _connector='OR'), name='line_waits_or_has_its_place'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.UniqueConstraint(fields=('customer', 'event_id', 'revision'), name='usage_event_counted_once'),
        ),
        migrations.AddConstraint(
            model_name='usagetotal',
            constraint=models.UniqueConstraint(fields=('period', 'component'), name='one_total_per_period_and_component'),
        ),
        migrations.AddConstraint(
            model_name='redemption',
            constraint=models.UniqueConstraint(fields=('coupon', 'subscription'), name='coupon_once_per_subscription'),
        ),
        migrations.AddIndex(
            model_name='scheduledchange',
            index=models.Index(condition=models.Q(('status', billing.models.schedule.ChangeStatus['PENDING'])), fields=['due_at'], name='change_due'),
        ),
        migrations.AddConstraint(
            model_name='scheduledchange',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['PENDING', 'APPLIED', 'WITHDRAWN', 'FAILED'])), name='change_status_known'),
        ),
        migrations.AddConstraint(
            model_name='scheduledchange',
            constraint=models.UniqueConstraint(condition=models.Q(('status', billing.models.schedule.ChangeStatus['PENDING'])), fields=('subscription', 'due_at'), name='one_pending_change_per_instant'),
        ),
        migrations.AddConstraint(
            model_name='scheduledchange',
            constraint=models.CheckConstraint(condition=models.Q(('plan_version__isnull', False), ('quantity__isnull', False), ('billing_anchor__isnull', False), ('coupon__isnull', False), models.Q(('act', ''), _negated=True), ('charge', plans.terms.ChangeCharge['RESET']), _connector='OR'), name='change_changes_something'),
        ),
        migrations.AddConstraint(
            model_name='scheduledchange',
            constraint=models.CheckConstraint(condition=models.Q(('status', billing.models.schedule.ChangeStatus['PENDING']), ('settled_at__isnull', False), _connector='OR'), name='settled_change_says_when'),
        ),
        migrations.AddConstraint(
            model_name='usagevalue',
            constraint=models.UniqueConstraint(fields=('period', 'component', 'value'), name='one_row_per_unique_value'),
        ),
    ]
