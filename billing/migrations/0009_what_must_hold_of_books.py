"""What the new columns say is filled in: what was before goes, and the constraints come."""

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


class Migration(migrations.Migration):
    """Constraints and indexes on the tables there were before."""

    dependencies = [("billing", "0008_fill_books")]

    operations = [
        migrations.RemoveField(
            model_name='seller',
            name='address',
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['customer', '-received_at'], name='payment_of_customer'),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.UniqueConstraint(condition=models.Q(('reversed_at', None)), fields=('payment', 'invoice'), name='one_standing_allocation_per_invoice'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['SALE', 'CREDIT', 'TOP_UP'])), name='invoice_purpose_known'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(condition=models.Q(('purpose', billing.models.invoice.InvoicePurpose['TOP_UP']), ('status__in', [billing.core.lifecycle.InvoiceStatus['DRAFT'], billing.core.lifecycle.InvoiceStatus['CHARGED_WITH_ERROR'], billing.core.lifecycle.InvoiceStatus['PENDING']])), fields=('customer', 'currency'), name='one_open_top_up_per_customer'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('hold_reason', ''), ('status', billing.core.lifecycle.InvoiceStatus['DRAFT']), _connector='OR'), name='only_a_draft_is_held'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['RECURRING', 'USAGE', 'MINIMUM', 'ITEM', 'UNUSED', 'ADJUSTMENT', 'CARRIED', 'CREDIT'])), name='line_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='invoiceseries',
            constraint=models.CheckConstraint(condition=models.Q(('first_number__gte', 1), ('next_number__gte', models.F('first_number'))), name='series_counts_up'),
        ),
        migrations.AddConstraint(
            model_name='invoiceseries',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['INVOICE', 'CREDIT_NOTE'])), name='series_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='seller',
            constraint=models.CheckConstraint(condition=models.Q(('tax_policy__in', ['NONE', 'EU_VAT', 'FIXED_RATE'])), name='tax_policy_known'),
        ),
        migrations.AddConstraint(
            model_name='seller',
            constraint=models.CheckConstraint(condition=models.Q(('when_unverified__in', ['STANDARD_RATE', 'HOLD'])), name='when_unverified_known'),
        ),
        migrations.AddConstraint(
            model_name='seller',
            constraint=models.CheckConstraint(condition=models.Q(('tax_rounding__in', ['DOCUMENT', 'LINE'])), name='tax_rounding_known'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('status__in', [billing.core.lifecycle.InvoiceStatus['CHARGED_WITH_ERROR'], billing.core.lifecycle.InvoiceStatus['PENDING']])), fields=['due_at'], name='invoice_overdue'),
        ),
        migrations.AddIndex(
            model_name='journalentry',
            index=models.Index(fields=['occurred_at', 'id'], name='entry_in_order'),
        ),
        migrations.AddConstraint(
            model_name='seller',
            constraint=models.CheckConstraint(condition=models.Q(('tolerance_minor__gte', 0)), name='tolerance_not_negative'),
        ),
        migrations.AddIndex(
            model_name='invoiceline',
            index=models.Index(condition=models.Q(('credit_note', None), ('invoice', None)), fields=['customer'], name='line_that_waits'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.CheckConstraint(condition=models.Q(('invoice', None), ('credit_note', None), _connector='OR'), name='line_is_billed_or_given_back'),
        ),
    ]
