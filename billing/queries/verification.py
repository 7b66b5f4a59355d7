"""Do the books agree? Every derived table against its rebuild, every rule against the rows.

Each check is one SQL statement that finds what is wrong; sound books find nothing. One more folds
the sealed journal anew, by the processors' own folds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection

from billing.queries import (
    verification_credit,
    verification_dunning,
    verification_gateways,
    verification_journal,
    verification_returns,
    verification_revenue,
)
from billing.queries.components import component_of, value_of


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something in the books that is not as it must be."""

    check: str
    subject: str
    detail: str


def discrepancies() -> Iterator[Discrepancy]:
    """Everything that is wrong. None is ever acceptable."""
    for name, sql in CHECKS.items():
        with connection.cursor() as cursor:
            cursor.execute(sql)
            for subject, detail in cursor.fetchall():
                yield Discrepancy(name, str(subject), str(detail))
    for place, fault in verification_journal.differences():
        yield Discrepancy(verification_journal.REBUILT, place, fault)


# The events that stand, each with the component it is counted in and the value it was seen as.
_COUNTED: Final = f"""
  SELECT event.period_id, event.occurred_at, event.quantity, event.day, meter.aggregation,
         {component_of("event", "meter", "period")} AS component,
         {value_of("event", "meter")} AS value
    FROM billing_usageevent event
    JOIN plans_meter meter ON meter.id = event.meter_id
    JOIN billing_billingperiod period ON period.id = event.period_id
   WHERE event.withdrawn_at IS NULL"""  # noqa: S608  # constants
_REBUILT: Final = """
  CASE max(event.aggregation)
    WHEN 'MAX' THEN max(event.quantity)
    WHEN 'LAST' THEN (array_agg(event.quantity
                                ORDER BY event.occurred_at DESC, event.quantity DESC))[1]
    WHEN 'UNIQUE' THEN count(DISTINCT event.value)
    ELSE sum(event.quantity) END AS quantity,
  max(event.occurred_at) AS latest_at"""
# Only the latest event is kept exactly; of others it is enough that none is later.
_IS_NOT_REBUILT: Final = """
  coalesce(total.quantity, 0) <> coalesce(event.quantity, 0)
  OR total.aggregation <> event.aggregation
  OR (total.aggregation = 'LAST' AND total.latest_at IS DISTINCT FROM event.latest_at)
  OR total.latest_at < event.latest_at"""

_OF_THE_CORE: Final[dict[str, str]] = {
    "every journal entry balances": """
        SELECT entry_id, sum(CASE side WHEN 'DEBIT' THEN amount_minor ELSE -amount_minor END)
          FROM billing_journalline GROUP BY entry_id, currency
        HAVING sum(CASE side WHEN 'DEBIT' THEN amount_minor ELSE -amount_minor END) <> 0
    """,
    "a series has every number once": """
        SELECT series.prefix, format('next is %s, %s invoices up to %s',
               series.next_number, count(invoice.id), max(invoice.sequence))
          FROM billing_invoiceseries series
          LEFT JOIN billing_invoice invoice ON invoice.series_id = series.id
         WHERE series.kind = 'INVOICE'
         GROUP BY series.id
        HAVING count(invoice.id) <> series.next_number - series.first_number
            OR coalesce(max(invoice.sequence), series.first_number - 1) <> series.next_number - 1
    """,
    "an invoice's lines, less their discounts, with their taxes, sum to its total": """
        SELECT invoice.id, format('subtotal %s − %s, tax %s, total %s; lines %s − %s, tax %s',
               invoice.subtotal_minor, invoice.discount_minor, invoice.tax_minor,
               invoice.total_minor, coalesce(sum(line.amount_minor), 0),
               coalesce(sum(line.discount_minor), 0), coalesce(sum(line.tax_minor), 0))
          FROM billing_invoice invoice
          LEFT JOIN billing_invoiceline line ON line.invoice_id = invoice.id
         GROUP BY invoice.id
        HAVING invoice.subtotal_minor <> coalesce(sum(line.amount_minor), 0)
            OR invoice.discount_minor <> coalesce(sum(line.discount_minor), 0)
            OR invoice.tax_minor <> coalesce(sum(line.tax_minor), 0)
            OR invoice.total_minor <> invoice.subtotal_minor - invoice.discount_minor + coalesce(
                 sum(line.tax_minor) FILTER (WHERE NOT line.is_tax_included), 0)
            OR bool_or(line.currency <> invoice.currency)
            OR bool_or(line.customer_id <> invoice.customer_id)
            OR bool_or(line.discount_minor NOT BETWEEN least(line.amount_minor, 0)
                                                   AND greatest(line.amount_minor, 0))
    """,
    "an invoice's taxes are those of its lines": """
        SELECT invoice.id, coalesce(said.tax, held.tax)
          FROM (SELECT id, concat_ws(' ', row->>'category', row->>'percent', row->>'country',
                                     row->>'region') AS tax,
                       (row->>'base_minor')::bigint AS base, (row->>'amount_minor')::bigint AS minor
                  FROM billing_invoice, jsonb_array_elements(tax_totals) row) said
          FULL JOIN (
            SELECT invoice_id AS id,
                   concat_ws(' ', tax_category, trim_scale(tax_rate), tax_country, tax_region)
                     AS tax,
                   sum(amount_minor - discount_minor
                       - CASE WHEN is_tax_included THEN tax_minor ELSE 0 END) AS base,
                   sum(tax_minor) AS minor
              FROM billing_invoiceline WHERE invoice_id IS NOT NULL AND tax_category <> ''
             GROUP BY invoice_id, 2) held USING (id, tax)
          JOIN billing_invoice invoice USING (id)
         WHERE (said.base, said.minor) IS DISTINCT FROM (held.base, held.minor)
           AND (invoice.tax_totals <> '[]' OR held.minor <> 0)
    """,
    "a finalized invoice is in the journal, and no other": """
        SELECT coalesce(invoice.id::text, entry.idempotency_key), 'only on one side'
          FROM (SELECT * FROM billing_invoice WHERE number IS NOT NULL) invoice
          FULL JOIN (SELECT * FROM billing_journalentry WHERE kind = 'INVOICE_FINALIZED') entry
            ON entry.idempotency_key = 'invoice:' || invoice.id || ':finalized'
         WHERE invoice.id IS NULL OR entry.id IS NULL
    """,
    "every success is a payment, and every payment of an attempt a success": """
        SELECT coalesce(attempt.id, payment.attempt_id), 'only on one side'
          FROM (SELECT * FROM billing_paymentattempt WHERE status = 'SUCCEEDED') attempt
          FULL JOIN (SELECT * FROM billing_payment WHERE attempt_id IS NOT NULL) payment
            ON payment.attempt_id = attempt.id AND payment.amount_minor = attempt.amount_minor
         WHERE attempt.id IS NULL OR payment.id IS NULL
    """,
    "usage totals equal their events": f"""
        SELECT coalesce(total.period_id, event.period_id),
               format('%s: total %s, events %s', coalesce(total.component, event.component),
                      total.quantity, event.quantity)
          FROM billing_usagetotal total
          FULL JOIN (SELECT period_id, component, max(aggregation) AS aggregation, {_REBUILT}
                       FROM ({_COUNTED}) event GROUP BY period_id, component) event
            ON event.period_id = total.period_id AND event.component = total.component
         WHERE {_IS_NOT_REBUILT}
    """,  # noqa: S608  # constants
    "unique values equal their events": f"""
        SELECT coalesce(kept.period_id, event.period_id),
               format('%s: kept %s since %s, events %s since %s',
                      coalesce(kept.component, event.component), kept.events, kept.day,
                      event.events, event.day)
          FROM billing_usagevalue kept
          FULL JOIN (SELECT period_id, component, value, count(*) AS events, min(day) AS day
                       FROM ({_COUNTED}) event WHERE aggregation = 'UNIQUE'
                      GROUP BY period_id, component, value) event
            ON event.period_id = kept.period_id AND event.component = kept.component
           AND event.value = kept.value
         WHERE (kept.events, kept.day) IS DISTINCT FROM (event.events, event.day)
    """,  # noqa: S608  # constants
    "usage days equal their events": f"""
        SELECT coalesce(total.customer_id, event.customer_id),
               format('%s: day %s, events %s', coalesce(total.day, event.day),
                      total.quantity, event.quantity)
          FROM billing_usageday total
          FULL JOIN (SELECT event.customer_id, event.meter_id, event.day,
                            max(event.aggregation) AS aggregation, {_REBUILT}
                       FROM (SELECT event.*, meter.aggregation, NULL AS value
                               FROM billing_usageevent event
                               JOIN plans_meter meter ON meter.id = event.meter_id
                              WHERE event.withdrawn_at IS NULL
                                AND meter.aggregation <> 'UNIQUE') event
                      GROUP BY event.customer_id, event.meter_id, event.day) event
            ON event.customer_id = total.customer_id AND event.meter_id = total.meter_id
           AND event.day = total.day
         WHERE {_IS_NOT_REBUILT}
    """,  # noqa: S608  # constants
    "no event waits where a period counts it": """
        SELECT event.id, 'falls in period ' || period.id
          FROM billing_usageevent event
          JOIN plans_meter meter ON meter.id = event.meter_id
          JOIN billing_billingperiod period ON period.customer_id = event.customer_id
           AND period.starts_at <= event.occurred_at AND event.occurred_at < period.counts_until
           AND meter.code = ANY(period.meters)
         WHERE event.period_id IS NULL AND event.withdrawn_at IS NULL
        UNION ALL
        SELECT event.id, 'is not for period ' || period.id
          FROM billing_usageevent event
          JOIN plans_meter meter ON meter.id = event.meter_id
          JOIN billing_billingperiod period ON period.id = event.period_id
         WHERE event.withdrawn_at IS NULL
           AND NOT (period.customer_id = event.customer_id AND meter.code = ANY(period.meters)
                    AND period.starts_at <= event.occurred_at
                    AND event.occurred_at < period.counts_until)
    """,
    "periods follow each other": """
        SELECT id, 'overlaps the next one' FROM (
          SELECT id, ends_at, lead(starts_at) OVER w AS next_start
            FROM billing_billingperiod WINDOW w AS (PARTITION BY subscription_id ORDER BY starts_at)
        ) period WHERE next_start < ends_at
    """,
    "a closed period is charged whole, its usage once for each price": """
        SELECT period.id, format('charged until %s, %s usage lines of %s',
               period.charged_until, lines.usage, jsonb_array_length(version.terms->'usage'))
          FROM billing_billingperiod period
          JOIN plans_planversion version ON version.id = period.plan_version_id
          CROSS JOIN LATERAL (
            SELECT count(*) AS usage FROM billing_invoiceline
             WHERE billing_period_id = period.id AND kind = 'USAGE') lines
         WHERE period.closed_at IS NOT NULL AND period.kind = 'REGULAR'
           AND period.ends_at > period.starts_at
           AND (period.charged_until < period.ends_at
                OR lines.usage <> jsonb_array_length(version.terms->'usage'))
    """,
    "recurring charges are what the periods say": """
        SELECT period.subscription_id, format('%s by periods, %s by lines',
               sum(period.recurring_minor), sum(lines.recurring))
          FROM billing_billingperiod period
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'RECURRING'), 0) AS recurring,
                   bool_or(kind = 'UNUSED') AS is_credited
              FROM billing_invoiceline WHERE billing_period_id = period.id) lines
         GROUP BY period.subscription_id
        HAVING bool_or(lines.is_credited) IS NOT TRUE
           AND sum(period.recurring_minor) <> sum(lines.recurring)
    """,
    "a coupon was redeemed as often as it counts": """
        SELECT coupon.code, format('%s counted, %s rows', coupon.redemptions, count(redemption.id))
          FROM plans_coupon coupon
          LEFT JOIN billing_redemption redemption ON redemption.coupon_id = coupon.id
         GROUP BY coupon.id HAVING coupon.redemptions <> count(redemption.id)
    """,
    "what is due next is the end of the period or the next change": """
        SELECT subscription.id, format('due %s, period ends %s, next change %s',
               subscription.due_at, period.ends_at, change.due_at)
          FROM billing_subscription subscription
          LEFT JOIN billing_billingperiod period
            ON period.subscription_id = subscription.id AND period.closed_at IS NULL
          CROSS JOIN LATERAL (
            SELECT min(due_at) AS due_at FROM billing_scheduledchange
             WHERE subscription_id = subscription.id AND status = 'PENDING') change
         WHERE subscription.status IN ('TRIALING', 'ACTIVE', 'PAST_DUE', 'PAUSED')
           AND subscription.due_at IS DISTINCT FROM least(period.ends_at, change.due_at)
    """,
}

# A part of the books that has a module of its own adds its checks here.
CHECKS: Final[dict[str, str]] = {
    **_OF_THE_CORE,
    **verification_journal.CHECKS,
    **verification_credit.CHECKS,
    **verification_dunning.CHECKS,
    **verification_gateways.CHECKS,
    **verification_returns.CHECKS,
    **verification_revenue.CHECKS,
}
