"""What rows from before say in the new columns. The guards are away until the next migration."""

from __future__ import annotations

from django.db import migrations

FILL = """
UPDATE billing_billingperiod period
   SET plan_version_id = subscription.plan_version_id,
       counts_until = period.ends_at,
       charged_until = CASE WHEN period.kind = 'REGULAR' AND period.closed_at IS NULL
                            THEN period.starts_at ELSE period.ends_at END
  FROM billing_subscription subscription WHERE subscription.id = period.subscription_id;

-- An open whole period gets its real days, so that a change can split it.
UPDATE billing_billingperiod period
   SET share_used = length.days, share_whole = length.days, share_unit = 'days'
  FROM (SELECT period.id, (period.ends_at AT TIME ZONE customer.timezone)::date
                        - (period.starts_at AT TIME ZONE customer.timezone)::date AS days
          FROM billing_billingperiod period
          JOIN customers_customer customer ON customer.id = period.customer_id
          JOIN plans_planversion version ON version.id = period.plan_version_id
         WHERE version.terms->>'proration' = 'DAY') length
 WHERE length.id = period.id AND length.days > 0 AND period.share_unit = 'period'
   AND period.closed_at IS NULL AND period.kind = 'REGULAR';

UPDATE billing_invoiceline line
   SET customer_id = invoice.customer_id, currency = invoice.currency, discount_minor = 0,
       created_at = invoice.created_at, component = line.meter,
       billing_period_id = invoice.period_id, plan_id = version.plan_id
  FROM billing_invoice invoice
  LEFT JOIN billing_billingperiod period ON period.id = invoice.period_id
  LEFT JOIN plans_planversion version ON version.id = period.plan_version_id
 WHERE invoice.id = line.invoice_id;

UPDATE billing_invoice invoice
   SET period_start = period.starts_at, period_end = period.ends_at
  FROM billing_billingperiod period WHERE period.id = invoice.period_id;

UPDATE billing_billingperiod period SET recurring_minor = line.amount_minor
  FROM billing_invoiceline line
 WHERE line.billing_period_id = period.id AND line.kind = 'RECURRING';

UPDATE billing_usagetotal total
   SET component = meter.code, aggregation = meter.aggregation,
       billed_quantity = CASE WHEN total.is_closed THEN total.quantity END,
       quantity = total.quantity + total.late_quantity
  FROM plans_meter meter WHERE meter.id = total.meter_id;

UPDATE billing_usagetotal total SET latest_at = event.latest_at
  FROM (SELECT period_id, meter_id, max(occurred_at) AS latest_at
          FROM billing_usageevent WHERE period_id IS NOT NULL GROUP BY period_id, meter_id) event
 WHERE event.period_id = total.period_id AND event.meter_id = total.meter_id;

UPDATE billing_usageday day SET aggregation = meter.aggregation
  FROM plans_meter meter WHERE meter.id = day.meter_id;
"""


class Migration(migrations.Migration):
    """Set-based, in the order of what is read."""

    dependencies = [("billing", "0003_changes_and_components")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
