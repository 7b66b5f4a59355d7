"""What waits at a gateway is asked about by itself; so is what waited before there was a time for it."""

from __future__ import annotations

from django.db import migrations

ASK = """
UPDATE billing_paymentattempt SET ask_at = now() WHERE status = 'PROCESSING';
UPDATE billing_refund SET ask_at = now() WHERE status = 'PROCESSING';
UPDATE billing_checkoutsession SET ask_at = now()
 WHERE status = 'OPEN' AND created_at > now() - interval '4 days';
"""


class Migration(migrations.Migration):
    """Rows only."""

    dependencies = [("billing", "0012_gateways")]

    operations = [migrations.RunSQL(ASK, migrations.RunSQL.noop)]
