"""What rows from before say in the new columns. The guards are away until the next migration."""

from __future__ import annotations

from django.db import migrations

FILL = """
UPDATE billing_seller SET line1 = left(address, 255);

UPDATE billing_invoice SET subtotal_minor = total_minor + discount_minor;

UPDATE billing_invoiceline SET tax_minor = 0, tax_category = 'O' WHERE invoice_id IS NOT NULL;

-- Nothing is sealed yet: the first blocks bind what there is.
INSERT INTO billing_unsealedentry (entry_id, customer_id)
SELECT id, customer_id FROM billing_journalentry;
"""


class Migration(migrations.Migration):
    """Set-based; an address of several lines stands on one from here on."""

    dependencies = [("billing", "0007_books")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
