"""What no code may do, refused by the database itself."""

from __future__ import annotations

from django.db import migrations

REFUSE = """
CREATE FUNCTION bursar_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE ON billing_journalentry
  FOR EACH ROW EXECUTE FUNCTION bursar_refuse();
CREATE TRIGGER journal_line_append_only BEFORE UPDATE OR DELETE ON billing_journalline
  FOR EACH ROW EXECUTE FUNCTION bursar_refuse();
CREATE TRIGGER plan_version_append_only BEFORE UPDATE OR DELETE ON plans_planversion
  FOR EACH ROW EXECUTE FUNCTION bursar_refuse();
"""

# Set-based and immediate: the journal's only writer inserts all lines of an entry at once.
BALANCE = """
CREATE FUNCTION bursar_check_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE crooked uuid;
BEGIN
  SELECT line.entry_id INTO crooked
    FROM billing_journalline line
   WHERE line.entry_id IN (SELECT entry_id FROM new_lines)
   GROUP BY line.entry_id, line.currency
  HAVING sum(CASE line.side WHEN 'DEBIT' THEN line.amount_minor ELSE -line.amount_minor END) <> 0
   LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal entry % does not balance', crooked USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER journal_balances AFTER INSERT ON billing_journalline
  REFERENCING NEW TABLE AS new_lines
  FOR EACH STATEMENT EXECUTE FUNCTION bursar_check_balance();
"""

USAGE = """
CREATE FUNCTION bursar_guard_usage_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.period_id IS NULL AND NEW.period_id IS NOT NULL
     AND (NEW.id, NEW.customer_id, NEW.event_id, NEW.meter_id, NEW.occurred_at, NEW.quantity)
       = (OLD.id, OLD.customer_id, OLD.event_id, OLD.meter_id, OLD.occurred_at, OLD.quantity)
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
      NEW.id, NEW.customer_id, NEW.subscription_id, NEW.period_id, NEW.series_id, NEW.sequence,
      NEW.number, NEW.currency, NEW.total_minor, NEW.seller, NEW.buyer, NEW.issued_at,
      NEW.created_at
    ) IS NOT DISTINCT FROM (
      OLD.id, OLD.customer_id, OLD.subscription_id, OLD.period_id, OLD.series_id, OLD.sequence,
      OLD.number, OLD.currency, OLD.total_minor, OLD.seller, OLD.buyer, OLD.issued_at,
      OLD.created_at
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
CREATE TRIGGER invoice_line_frozen_delete AFTER DELETE ON billing_invoiceline
  REFERENCING OLD TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION bursar_guard_invoice_line();
"""

UNDO = """
DROP FUNCTION bursar_refuse CASCADE;
DROP FUNCTION bursar_check_balance CASCADE;
DROP FUNCTION bursar_guard_usage_event CASCADE;
DROP FUNCTION bursar_guard_invoice CASCADE;
DROP FUNCTION bursar_guard_invoice_line CASCADE;
"""


class Migration(migrations.Migration):
    """Triggers on UPDATE and DELETE; TRUNCATE is a matter of privilege."""

    dependencies = [("billing", "0001_initial"), ("plans", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE + BALANCE + USAGE + INVOICE, UNDO),
    ]
