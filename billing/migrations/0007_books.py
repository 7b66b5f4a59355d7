"""The books: sellers, taxes, credit notes, credit, refunds, dunning, seals; empty at first."""

from __future__ import annotations

import billing.core.dunning
import billing.core.lifecycle
import billing.core.tax_policies
import billing.core.taxes
import billing.models.invoice
import billing.models.seller
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import uuid_utils.compat
from django.db import migrations, models

# Rows that are frozen get new columns; their guards come back when those are filled.
WITHOUT_GUARDS = """
DROP FUNCTION bursar_guard_invoice CASCADE;
DROP FUNCTION bursar_guard_invoice_line CASCADE;
"""


class Migration(migrations.Migration):
    """Tables and columns."""

    dependencies = [
        ('billing', '0006_guards_again'),
        ('customers', '0001_initial'),
        ('plans', '0002_coupons_and_aggregations'),
    ]

    operations = [
        migrations.RunSQL(WITHOUT_GUARDS, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='BillingProfile',
            fields=[
                ('customer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='customers.customer')),
                ('is_dunned', models.BooleanField(default=True)),
                ('top_up_currency', models.CharField(blank=True, default='', max_length=3)),
                ('top_up_threshold_minor', models.BigIntegerField(blank=True, null=True)),
                ('top_up_amount_minor', models.BigIntegerField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name='CreditDraw',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('INVOICE', 'Invoice'), ('USAGE', 'Usage'), ('REFUND', 'Refund'), ('EXPIRY', 'Expiry'), ('VOID', 'Void')], max_length=8)),
                ('amount_minor', models.BigIntegerField()),
                ('created_by', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='CreditGrant',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('PAID', 'Paid'), ('PROMOTIONAL', 'Promotional')], max_length=12)),
                ('currency', models.CharField(max_length=3)),
                ('amount_minor', models.BigIntegerField()),
                ('remaining_minor', models.BigIntegerField()),
                ('priority', models.PositiveSmallIntegerField(default=50)),
                ('reason', models.CharField(blank=True, default='', max_length=255)),
                ('effective_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='CreditNote',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('sequence', models.PositiveBigIntegerField()),
                ('number', models.CharField(max_length=40)),
                ('reason', models.CharField(choices=[('CANCELLATION', 'Cancellation'), ('RETURN', 'Return'), ('DISCOUNT', 'Discount'), ('REFUND', 'Refund'), ('CORRECTION', 'Correction')], max_length=12)),
                ('note', models.CharField(blank=True, default='', max_length=500)),
                ('currency', models.CharField(max_length=3)),
                ('tax_minor', models.BigIntegerField()),
                ('total_minor', models.BigIntegerField()),
                ('to_due_minor', models.BigIntegerField()),
                ('to_credit_minor', models.BigIntegerField()),
                ('to_refund_minor', models.BigIntegerField()),
                ('tax_totals', models.JSONField(blank=True, default=list)),
                ('notes', models.JSONField(blank=True, default=list)),
                ('seller', models.JSONField()),
                ('buyer', models.JSONField()),
                ('issued_at', models.DateTimeField()),
                ('created_by', models.CharField(blank=True, default='', max_length=255)),
            ],
        ),
        migrations.CreateModel(
            name='CreditNoteLine',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('description', models.CharField(max_length=500)),
                ('quantity', models.DecimalField(blank=True, decimal_places=12, max_digits=38, null=True)),
                ('net_minor', models.BigIntegerField()),
                ('tax_minor', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Deferral',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('account', models.CharField(max_length=64)),
                ('currency', models.CharField(max_length=3)),
                ('amount_minor', models.BigIntegerField()),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
                ('recognized_until_on', models.DateField()),
            ],
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('source', models.CharField(choices=[('CUSTOMER', 'Customer'), ('GATEWAY', 'Gateway')], max_length=8)),
                ('status', models.CharField(choices=[('OPEN', 'Open'), ('WON', 'Won'), ('LOST', 'Lost')], default=billing.core.lifecycle.DisputeStatus['OPEN'], max_length=8)),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('reason', models.CharField(blank=True, default='', max_length=255)),
                ('external_id', models.CharField(blank=True, default='', max_length=255)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.CharField(blank=True, default='', max_length=255)),
            ],
        ),
        migrations.CreateModel(
            name='DunningNotice',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('subject', models.CharField(max_length=255)),
                ('text', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('mailed_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='DunningPolicy',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=64, unique=True)),
                ('retry_after_days', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), blank=True, default=list, size=None)),
                ('grace_days', models.PositiveSmallIntegerField(default=7)),
                ('notices', models.JSONField(blank=True, default=list)),
                ('final_act', models.CharField(choices=[('NOTHING', 'Nothing'), ('PAUSE', 'Pause'), ('CANCEL', 'Cancel'), ('WRITE_OFF', 'Write off')], default=billing.core.dunning.FinalAct['NOTHING'], max_length=12)),
                ('final_after_days', models.PositiveSmallIntegerField(default=30)),
                ('is_default', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name_plural': 'dunning policies',
            },
        ),
        migrations.CreateModel(
            name='DunningRun',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('policy_name', models.CharField(max_length=64)),
                ('terms', models.JSONField()),
                ('reason', models.CharField(choices=[('DECLINED', 'Declined'), ('OVERDUE', 'Overdue')], max_length=8)),
                ('status', models.CharField(choices=[('RUNNING', 'Running'), ('RECOVERED', 'Recovered'), ('STOPPED', 'Stopped'), ('EXHAUSTED', 'Exhausted')], default=billing.core.dunning.DunningStatus['RUNNING'], max_length=12)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('ended_by', models.CharField(blank=True, default='', max_length=255)),
                ('note', models.CharField(blank=True, default='', max_length=255)),
            ],
        ),
        migrations.CreateModel(
            name='Instalment',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('amount_minor', models.BigIntegerField()),
                ('due_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='JournalBlock',
            fields=[
                ('number', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('previous_hash', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
                ('entries', models.PositiveIntegerField()),
                ('sealed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='JournalSeal',
            fields=[
                ('entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='seal', serialize=False, to='billing.journalentry')),
                ('position', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='PlanDunning',
            fields=[
                ('plan', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='plans.plan')),
            ],
        ),
        migrations.CreateModel(
            name='ProcessorPosition',
            fields=[
                ('processor', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('block', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Projection',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('processor', models.CharField(max_length=32)),
                ('scope', models.CharField(blank=True, default='', max_length=64)),
                ('key', models.CharField(blank=True, default='', max_length=160)),
                ('value', models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('status', models.CharField(choices=[('CREATED', 'Created'), ('SENDING', 'Sending'), ('UNKNOWN', 'Unknown'), ('PROCESSING', 'Processing'), ('SUCCEEDED', 'Succeeded'), ('FAILED', 'Failed')], default=billing.core.lifecycle.AttemptStatus['CREATED'], max_length=12)),
                ('external_id', models.CharField(blank=True, default='', max_length=255)),
                ('decline_code', models.CharField(blank=True, default='', max_length=64)),
                ('decline_message', models.CharField(blank=True, default='', max_length=500)),
                ('reason', models.CharField(blank=True, default='', max_length=255)),
                ('created_by', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='TaxRate',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('country', models.CharField(max_length=2)),
                ('region', models.CharField(blank=True, default='', max_length=16)),
                ('tax_class', models.CharField(default='standard', max_length=32)),
                ('percent', models.DecimalField(decimal_places=12, max_digits=15)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(blank=True, null=True)),
                ('source', models.CharField(blank=True, default='', max_length=255)),
            ],
        ),
        migrations.CreateModel(
            name='UnsealedEntry',
            fields=[
                ('entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='billing.journalentry')),
                ('customer_id', models.UUIDField(blank=True, null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='allocation',
            name='one_allocation_per_invoice',
        ),
        migrations.RemoveConstraint(
            model_name='invoiceline',
            name='line_kind_known',
        ),
        migrations.AddField(
            model_name='allocation',
            name='reversed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='allocation',
            name='reversed_by',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='invoice',
            name='hold_reason',
            field=models.CharField(blank=True, default='', max_length=32),
        ),
        migrations.AddField(
            model_name='invoice',
            name='issuer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.seller'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='notes',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='invoice',
            name='purpose',
            field=models.CharField(choices=[('SALE', 'Sale'), ('CREDIT', 'Credit'), ('TOP_UP', 'Top up')], default=billing.models.invoice.InvoicePurpose['SALE'], max_length=8),
        ),
        migrations.AddField(
            model_name='invoice',
            name='subtotal_minor',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='invoice',
            name='tax_minor',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='invoice',
            name='tax_totals',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='is_tax_included',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='tax_category',
            field=models.CharField(blank=True, choices=[('S', 'S'), ('Z', 'Z'), ('E', 'E'), ('AE', 'Ae'), ('G', 'G'), ('O', 'O')], default='', max_length=2),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='tax_class',
            field=models.CharField(default='standard', max_length=32),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='tax_country',
            field=models.CharField(blank=True, default='', max_length=2),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='tax_minor',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='tax_rate',
            field=models.DecimalField(decimal_places=12, default=0, max_digits=15),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='tax_region',
            field=models.CharField(blank=True, default='', max_length=16),
        ),
        migrations.AddField(
            model_name='invoiceseries',
            name='first_number',
            field=models.PositiveBigIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='invoiceseries',
            name='is_open',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='invoiceseries',
            name='kind',
            field=models.CharField(choices=[('INVOICE', 'Invoice'), ('CREDIT_NOTE', 'Credit note')], default=billing.models.seller.SeriesKind['INVOICE'], max_length=12),
        ),
        migrations.AddField(
            model_name='journalentry',
            name='source_id',
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='journalentry',
            name='source_kind',
            field=models.CharField(blank=True, default='', max_length=16),
        ),
        migrations.AddField(
            model_name='ledgeraccount',
            name='name',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='payment',
            name='created_by',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='payment',
            name='reference',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='payment',
            name='reversed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='seller',
            name='account_holder',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='seller',
            name='bank_name',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='seller',
            name='bic',
            field=models.CharField(blank=True, default='', max_length=11),
        ),
        migrations.AddField(
            model_name='seller',
            name='city',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='seller',
            name='email',
            field=models.EmailField(blank=True, default='', max_length=254),
        ),
        migrations.AddField(
            model_name='seller',
            name='footer',
            field=models.TextField(blank=True, default=''),
        ),
        migrations.AddField(
            model_name='seller',
            name='iban',
            field=models.CharField(blank=True, default='', max_length=34),
        ),
        migrations.AddField(
            model_name='seller',
            name='is_oss_registered',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='seller',
            name='line1',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='seller',
            name='line2',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='seller',
            name='payment_days',
            field=models.PositiveSmallIntegerField(default=14),
        ),
        migrations.AddField(
            model_name='seller',
            name='phone',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='seller',
            name='postal_code',
            field=models.CharField(blank=True, default='', max_length=32),
        ),
        migrations.AddField(
            model_name='seller',
            name='region',
            field=models.CharField(blank=True, default='', max_length=16),
        ),
        migrations.AddField(
            model_name='seller',
            name='registration',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='seller',
            name='tax_policy',
            field=models.CharField(choices=[('NONE', 'None'), ('EU_VAT', 'Eu vat'), ('FIXED_RATE', 'Fixed rate')], default=billing.core.tax_policies.TaxPolicyKind['NONE'], max_length=16),
        ),
        migrations.AddField(
            model_name='seller',
            name='tax_rounding',
            field=models.CharField(choices=[('DOCUMENT', 'Document'), ('LINE', 'Line')], default=billing.core.taxes.TaxRounding['DOCUMENT'], max_length=8),
        ),
        migrations.AddField(
            model_name='seller',
            name='terms',
            field=models.TextField(blank=True, default=''),
        ),
        migrations.AddField(
            model_name='seller',
            name='tolerance_minor',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='seller',
            name='vat_id',
            field=models.CharField(blank=True, default='', max_length=32),
        ),
        migrations.AddField(
            model_name='seller',
            name='when_unverified',
            field=models.CharField(choices=[('STANDARD_RATE', 'Standard rate'), ('HOLD', 'Hold')], default=billing.core.tax_policies.WhenUnverified['STANDARD_RATE'], max_length=16),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='kind',
            field=models.CharField(choices=[('RECURRING', 'Recurring'), ('USAGE', 'Usage'), ('MINIMUM', 'Minimum'), ('ITEM', 'Item'), ('UNUSED', 'Unused'), ('ADJUSTMENT', 'Adjustment'), ('CARRIED', 'Carried'), ('CREDIT', 'Credit')], max_length=12),
        ),
        migrations.AlterField(
            model_name='journalentry',
            name='customer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer'),
        ),
        migrations.AddField(
            model_name='billingprofile',
            name='seller',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.seller'),
        ),
        migrations.AddField(
            model_name='creditdraw',
            name='billing_period',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.billingperiod'),
        ),
        migrations.AddField(
            model_name='creditdraw',
            name='invoice',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='draws', to='billing.invoice'),
        ),
        migrations.AddField(
            model_name='creditgrant',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer'),
        ),
        migrations.AddField(
            model_name='creditgrant',
            name='invoice',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='billing.invoice'),
        ),
        migrations.AddField(
            model_name='creditgrant',
            name='payment',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='billing.payment'),
        ),
        migrations.AddField(
            model_name='creditdraw',
            name='grant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draws', to='billing.creditgrant'),
        ),
        migrations.AddField(
            model_name='creditnote',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer'),
        ),
        migrations.AddField(
            model_name='creditnote',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='billing.invoice'),
        ),
        migrations.AddField(
            model_name='creditnote',
            name='series',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.invoiceseries'),
        ),
        migrations.AddField(
            model_name='creditgrant',
            name='credit_note',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='billing.creditnote'),
        ),
        migrations.AddField(
            model_name='creditnoteline',
            name='credit_note',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.creditnote'),
        ),
        migrations.AddField(
            model_name='creditnoteline',
            name='invoice_line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credited', to='billing.invoiceline'),
        ),
        migrations.AddField(
            model_name='deferral',
            name='credit_line',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.creditnoteline'),
        ),
        migrations.AddField(
            model_name='deferral',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer'),
        ),
        migrations.AddField(
            model_name='deferral',
            name='line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deferrals', to='billing.invoiceline'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='billing.payment'),
        ),
        migrations.AddConstraint(
            model_name='dunningpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('final_act__in', ['NOTHING', 'PAUSE', 'CANCEL', 'WRITE_OFF'])), name='final_act_known'),
        ),
        migrations.AddConstraint(
            model_name='dunningpolicy',
            constraint=models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='one_default_dunning'),
        ),
        migrations.AddField(
            model_name='billingprofile',
            name='dunning_policy',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.dunningpolicy'),
        ),
        migrations.AddField(
            model_name='dunningrun',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer'),
        ),
        migrations.AddField(
            model_name='dunningrun',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='dunning_runs', to='billing.invoice'),
        ),
        migrations.AddField(
            model_name='dunningnotice',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='billing.dunningrun'),
        ),
        migrations.AddField(
            model_name='instalment',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='instalments', to='billing.invoice'),
        ),
        migrations.AddField(
            model_name='journalseal',
            name='block',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='seals', to='billing.journalblock'),
        ),
        migrations.AddField(
            model_name='plandunning',
            name='policy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='plans', to='billing.dunningpolicy'),
        ),
        migrations.AddConstraint(
            model_name='projection',
            constraint=models.UniqueConstraint(fields=('processor', 'scope', 'key'), name='one_projection'),
        ),
        migrations.AddField(
            model_name='refund',
            name='credit_note',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='billing.creditnote'),
        ),
        migrations.AddField(
            model_name='refund',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer'),
        ),
        migrations.AddField(
            model_name='refund',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='billing.payment'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.UniqueConstraint(fields=('country', 'region', 'tax_class', 'starts_on'), name='one_rate_per_start'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('percent__gte', 0), ('percent__lte', 100)), name='tax_rate_is_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on', None), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='tax_rate_ends_after_its_start'),
        ),
        migrations.AddIndex(
            model_name='unsealedentry',
            index=models.Index(fields=['customer_id'], name='unsealed_of_customer'),
        ),
        migrations.AddConstraint(
            model_name='creditdraw',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['INVOICE', 'USAGE', 'REFUND', 'EXPIRY', 'VOID'])), name='draw_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='creditdraw',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='a_draw_draws_something'),
        ),
        migrations.AddIndex(
            model_name='creditnote',
            index=models.Index(fields=['customer', '-issued_at'], name='credit_note_of_customer'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['CANCELLATION', 'RETURN', 'DISCOUNT', 'REFUND', 'CORRECTION'])), name='credit_reason_known'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.UniqueConstraint(fields=('series', 'sequence'), name='credit_note_sequence_once'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.CheckConstraint(condition=models.Q(('to_credit_minor__gte', 0), ('to_due_minor__gte', 0), ('to_refund_minor__gte', 0), ('total_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('to_due_minor'), '+', models.F('to_credit_minor')), '+', models.F('to_refund_minor'))), ('total_minor__gt', 0)), name='credit_note_goes_somewhere'),
        ),
        migrations.AddIndex(
            model_name='creditgrant',
            index=models.Index(condition=models.Q(('remaining_minor__gt', 0)), fields=['customer'], name='grant_with_rest'),
        ),
        migrations.AddIndex(
            model_name='creditgrant',
            index=models.Index(condition=models.Q(('remaining_minor__gt', 0)), fields=['expires_at'], name='grant_to_expire'),
        ),
        migrations.AddConstraint(
            model_name='creditgrant',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['PAID', 'PROMOTIONAL'])), name='grant_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='creditgrant',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0), ('remaining_minor__gte', 0), ('remaining_minor__lte', models.F('amount_minor'))), name='a_grant_is_never_overdrawn'),
        ),
        migrations.AddConstraint(
            model_name='creditgrant',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at', None), ('expires_at__gt', models.F('effective_at')), _connector='OR'), name='grant_expires_after_it_begins'),
        ),
        migrations.AddConstraint(
            model_name='creditgrant',
            constraint=models.UniqueConstraint(condition=models.Q(('invoice__isnull', False)), fields=('invoice',), name='credit_sold_once'),
        ),
        migrations.AddConstraint(
            model_name='creditnoteline',
            constraint=models.UniqueConstraint(fields=('credit_note', 'position'), name='credit_note_position_once'),
        ),
        migrations.AddIndex(
            model_name='deferral',
            index=models.Index(condition=models.Q(('recognized_until_on__lt', models.F('ends_on'))), fields=['recognized_until_on'], name='deferral_to_recognize'),
        ),
        migrations.AddConstraint(
            model_name='deferral',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on__gt', models.F('starts_on')), ('recognized_until_on__gte', models.F('starts_on')), ('recognized_until_on__lte', models.F('ends_on')), models.Q(('amount_minor', 0), _negated=True)), name='deferral_has_days'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['OPEN', 'WON', 'LOST'])), name='dispute_status_known'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['CUSTOMER', 'GATEWAY'])), name='dispute_source_known'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'OPEN')), fields=('payment',), name='one_open_dispute_per_payment'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('status', 'OPEN')), models.Q(models.Q(('status', 'OPEN'), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='a_closed_dispute_says_when'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='dispute_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='billingprofile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('top_up_amount_minor', None), ('top_up_currency', ''), ('top_up_threshold_minor', None)), models.Q(('top_up_amount_minor__gt', 0), ('top_up_threshold_minor__gte', 0), models.Q(('top_up_currency', ''), _negated=True)), _connector='OR'), name='top_up_is_whole'),
        ),
        migrations.AddIndex(
            model_name='dunningrun',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='dunning_due'),
        ),
        migrations.AddConstraint(
            model_name='dunningrun',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['DECLINED', 'OVERDUE'])), name='dunning_reason_known'),
        ),
        migrations.AddConstraint(
            model_name='dunningrun',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['RUNNING', 'RECOVERED', 'STOPPED', 'EXHAUSTED'])), name='dunning_status_known'),
        ),
        migrations.AddConstraint(
            model_name='dunningrun',
            constraint=models.UniqueConstraint(condition=models.Q(('status', billing.core.dunning.DunningStatus['RUNNING'])), fields=('invoice',), name='one_dunning_run_per_invoice'),
        ),
        migrations.AddConstraint(
            model_name='dunningrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('status', billing.core.dunning.DunningStatus['RUNNING'])), models.Q(models.Q(('status', billing.core.dunning.DunningStatus['RUNNING']), _negated=True), ('due_at', None), ('ended_at__isnull', False)), _connector='OR'), name='an_ended_run_says_when'),
        ),
        migrations.AddIndex(
            model_name='dunningnotice',
            index=models.Index(condition=models.Q(('mailed_at', None)), fields=['created_at'], name='notice_to_mail'),
        ),
        migrations.AddConstraint(
            model_name='dunningnotice',
            constraint=models.UniqueConstraint(fields=('run', 'position'), name='notice_given_once'),
        ),
        migrations.AddConstraint(
            model_name='instalment',
            constraint=models.UniqueConstraint(fields=('invoice', 'position'), name='instalment_position_once'),
        ),
        migrations.AddConstraint(
            model_name='instalment',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='instalment_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='journalseal',
            constraint=models.UniqueConstraint(fields=('block', 'position'), name='one_entry_per_place'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('status__in', [billing.core.lifecycle.AttemptStatus['CREATED'], billing.core.lifecycle.AttemptStatus['SENDING'], billing.core.lifecycle.AttemptStatus['UNKNOWN']])), fields=['created_at'], name='refund_unsent'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(fields=['customer', '-created_at'], name='refund_of_customer'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['CREATED', 'SENDING', 'UNKNOWN', 'PROCESSING', 'SUCCEEDED', 'FAILED'])), name='refund_status_known'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='refund_amount_positive'),
        ),
        migrations.RemoveIndex(
            model_name='invoiceline',
            name='line_that_waits',
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='credit_note',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.creditnote'),
        ),
    ]
