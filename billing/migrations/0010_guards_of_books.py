"""The guards of invoices and lines as the tables are now, and those of what is new (see 0002)."""

from __future__ import annotations

from django.db import migrations

INVOICE = """
CREATE FUNCTION bursar_guard_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (
      NEW.id, NEW.customer_id, NEW.subscription_id, NEW.issuer_id, NEW.purpose, NEW.series_id,
      NEW.sequence, NEW.number, NEW.currency, NEW.subtotal_minor, NEW.discount_minor,
      NEW.tax_minor, NEW.total_minor, NEW.tax_totals, NEW.notes, NEW.period_start,
      NEW.period_end, NEW.seller, NEW.buyer, NEW.issued_at, NEW.created_at
    ) IS NOT DISTINCT FROM (
      OLD.id, OLD.customer_id, OLD.subscription_id, OLD.issuer_id, OLD.purpose, OLD.series_id,
      OLD.sequence, OLD.number, OLD.currency, OLD.subtotal_minor, OLD.discount_minor,
      OLD.tax_minor, OLD.total_minor, OLD.tax_totals, OLD.notes, OLD.period_start,
      OLD.period_end, OLD.seller, OLD.buyer, OLD.issued_at, OLD.created_at
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

# The steps of core.lifecycle.INVOICE; a draft over nothing, or whose total credit settles, goes
# through PENDING in one statement.
STEPS = """
CREATE FUNCTION bursar_guard_invoice_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status, NEW.status) IN (
      ('DRAFT', 'PENDING'), ('DRAFT', 'PAID'), ('DRAFT', 'CANCELED'),
      ('PENDING', 'PAID'), ('PENDING', 'CHARGED_WITH_ERROR'), ('PENDING', 'CANCELED'),
      ('CHARGED_WITH_ERROR', 'PAID'), ('CHARGED_WITH_ERROR', 'UNCOLLECTIBLE'),
      ('CHARGED_WITH_ERROR', 'CANCELED'),
      ('PAID', 'REFUNDED'), ('PAID', 'IN_PROTEST'), ('PAID', 'PENDING'),
      ('IN_PROTEST', 'CHARGEBACK'), ('IN_PROTEST', 'PAID')
    )
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'an invoice that is % does not become %', OLD.status, NEW.status
    USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER invoice_steps BEFORE UPDATE OF status ON billing_invoice
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION bursar_guard_invoice_status();
"""

APPEND_ONLY = "\n".join(
    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON billing_{table}"
    " FOR EACH ROW EXECUTE FUNCTION bursar_refuse();"
    for table in ("creditnote", "creditnoteline", "creditdraw", "journalblock", "journalseal")
)

MONEY = """
CREATE FUNCTION bursar_guard_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.reversed_at IS NULL
     AND (NEW.id, NEW.customer_id, NEW.gateway, NEW.attempt_id, NEW.amount_minor, NEW.currency,
          NEW.received_at)
       IS NOT DISTINCT FROM
         (OLD.id, OLD.customer_id, OLD.gateway, OLD.attempt_id, OLD.amount_minor, OLD.currency,
          OLD.received_at)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% of a payment is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER payment_guarded BEFORE UPDATE OR DELETE ON billing_payment
  FOR EACH ROW EXECUTE FUNCTION bursar_guard_payment();

CREATE FUNCTION bursar_guard_allocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.reversed_at IS NULL AND NEW.reversed_at IS NOT NULL
     AND (NEW.id, NEW.payment_id, NEW.invoice_id, NEW.amount_minor)
       = (OLD.id, OLD.payment_id, OLD.invoice_id, OLD.amount_minor)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% of an allocation is refused: it is reversed', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER allocation_guarded BEFORE UPDATE OR DELETE ON billing_allocation
  FOR EACH ROW EXECUTE FUNCTION bursar_guard_allocation();

CREATE FUNCTION bursar_guard_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE'
     AND (NEW.id, NEW.customer_id, NEW.kind, NEW.currency, NEW.amount_minor, NEW.effective_at,
          NEW.payment_id, NEW.credit_note_id, NEW.invoice_id)
       IS NOT DISTINCT FROM
         (OLD.id, OLD.customer_id, OLD.kind, OLD.currency, OLD.amount_minor, OLD.effective_at,
          OLD.payment_id, OLD.credit_note_id, OLD.invoice_id)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% of a credit grant is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER grant_guarded BEFORE UPDATE OR DELETE ON billing_creditgrant
  FOR EACH ROW EXECUTE FUNCTION bursar_guard_grant();

CREATE FUNCTION bursar_guard_deferral() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.recognized_until_on >= OLD.recognized_until_on
     AND (NEW.id, NEW.line_id, NEW.credit_line_id, NEW.account, NEW.currency, NEW.amount_minor,
          NEW.starts_on, NEW.ends_on)
       IS NOT DISTINCT FROM
         (OLD.id, OLD.line_id, OLD.credit_line_id, OLD.account, OLD.currency, OLD.amount_minor,
          OLD.starts_on, OLD.ends_on)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% of deferred revenue is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER deferral_guarded BEFORE UPDATE OR DELETE ON billing_deferral
  FOR EACH ROW EXECUTE FUNCTION bursar_guard_deferral();
"""

UNDO = """
DROP FUNCTION bursar_guard_invoice CASCADE;
DROP FUNCTION bursar_guard_invoice_line CASCADE;
DROP FUNCTION bursar_guard_invoice_status CASCADE;
DROP FUNCTION bursar_guard_payment CASCADE;
DROP FUNCTION bursar_guard_allocation CASCADE;
DROP FUNCTION bursar_guard_grant CASCADE;
DROP FUNCTION bursar_guard_deferral CASCADE;
"""


class Migration(migrations.Migration):
    """What is corrected by another row is never edited itself."""

    dependencies = [("billing", "0009_what_must_hold_of_books")]

    operations = [migrations.RunSQL(INVOICE + STEPS + APPEND_ONLY + MONEY, UNDO)]
