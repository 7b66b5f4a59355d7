"""The guards of usage events, invoices and lines, as the tables are now (see 0002)."""

from __future__ import annotations

from django.db import migrations

USAGE = """
CREATE FUNCTION bursar_guard_usage_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE'
     AND (NEW.id, NEW.customer_id, NEW.event_id, NEW.revision, NEW.meter_id, NEW.occurred_at,
          NEW.quantity, NEW.properties, NEW.day, NEW.recorded_at)
       = (OLD.id, OLD.customer_id, OLD.event_id, OLD.revision, OLD.meter_id, OLD.occurred_at,
          OLD.quantity, OLD.properties, OLD.day, OLD.recorded_at)
     AND (OLD.withdrawn_at IS NULL
          OR (NEW.withdrawn_at, NEW.withdrawn_by, NEW.period_id)
             IS NOT DISTINCT FROM (OLD.withdrawn_at, OLD.withdrawn_by, OLD.period_id))
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% of a usage event is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER usage_event_immutable BEFORE UPDATE OR DELETE ON billing_usageevent
  FOR EACH ROW EXECUTE FUNCTION bursar_guard_usage_event();
"""

INVOICE = """
CREATE FUNCTION bursar_guard_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (
      NEW.id, NEW.customer_id, NEW.subscription_id, NEW.series_id, NEW.sequence, NEW.number,
      NEW.currency, NEW.discount_minor, NEW.total_minor, NEW.period_start, NEW.period_end,
      NEW.seller, NEW.buyer, NEW.issued_at, NEW.created_at
    ) IS NOT DISTINCT FROM (
      OLD.id, OLD.customer_id, OLD.subscription_id, OLD.series_id, OLD.sequence, OLD.number,
      OLD.currency, OLD.discount_minor, OLD.total_minor, OLD.period_start, OLD.period_end,
      OLD.seller, OLD.buyer, OLD.issued_at, OLD.created_at
    )
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% of finalized invoice % is refused', TG_OP, OLD.number
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER invoice_frozen_update BEFORE UPDATE ON billing_invoice
  FOR EACH ROW WHEN (OLD.number IS NOT NULL) EXECUTE FUNCTION bursar_guard_invoice();
CREATE TRIGGER invoice_frozen_delete BEFORE DELETE ON billing_invoice
  FOR EACH ROW WHEN (OLD.number IS NOT NULL) EXECUTE FUNCTION bursar_guard_invoice();

CREATE FUNCTION bursar_guard_invoice_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE frozen_number text;
BEGIN
  SELECT invoice.number INTO frozen_number FROM billing_invoice invoice
   WHERE invoice.number IS NOT NULL AND invoice.id IN (SELECT invoice_id FROM touched) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% on the lines of finalized invoice % is refused', TG_OP, frozen_number
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER invoice_line_frozen_insert AFTER INSERT ON billing_invoiceline
  REFERENCING NEW TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION bursar_guard_invoice_line();
CREATE TRIGGER invoice_line_frozen_update AFTER UPDATE ON billing_invoiceline
  REFERENCING OLD TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION bursar_guard_invoice_line();
CREATE TRIGGER invoice_line_frozen_adding AFTER UPDATE ON billing_invoiceline
  REFERENCING NEW TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION bursar_guard_invoice_line();
CREATE TRIGGER invoice_line_frozen_delete AFTER DELETE ON billing_invoiceline
  REFERENCING OLD TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION bursar_guard_invoice_line();
"""

UNDO = """
DROP FUNCTION bursar_guard_usage_event CASCADE;
DROP FUNCTION bursar_guard_invoice CASCADE;
DROP FUNCTION bursar_guard_invoice_line CASCADE;
"""


class Migration(migrations.Migration):
    """A line is guarded against going to a finalized invoice as much as against leaving it."""

    dependencies = [("billing", "0005_what_must_hold")]

    operations = [migrations.RunSQL(USAGE + INVOICE, UNDO)]
