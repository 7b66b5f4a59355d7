"""Do the books agree? Every derived table against its rebuild, every rule against the rows.

Each check is one SQL statement that finds what is wrong; sound books find nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection


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


CHECKS: Final[dict[str, str]] = {
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
         GROUP BY series.id
        HAVING count(invoice.id) <> series.next_number - 1
            OR coalesce(max(invoice.sequence), 0) <> series.next_number - 1
    """,
    "an invoice's lines sum to its total": """
        SELECT invoice.id, format('total %s, lines %s', invoice.total_minor,
               coalesce(sum(line.amount_minor), 0))
          FROM billing_invoice invoice
          LEFT JOIN billing_invoiceline line ON line.invoice_id = invoice.id
         GROUP BY invoice.id HAVING invoice.total_minor <> coalesce(sum(line.amount_minor), 0)
    """,
    "a finalized invoice is in the journal, and no other": """
        SELECT coalesce(invoice.id::text, entry.idempotency_key), 'only on one side'
          FROM (SELECT * FROM billing_invoice WHERE number IS NOT NULL) invoice
          FULL JOIN (SELECT * FROM billing_journalentry WHERE kind = 'INVOICE_FINALIZED') entry
            ON entry.idempotency_key = 'invoice:' || invoice.id || ':finalized'
         WHERE invoice.id IS NULL OR entry.id IS NULL
    """,
    "what is owed is total less allocations, and nothing where it is settled": """
        SELECT invoice.id, format('%s: owed %s, total %s, allocated %s',
               invoice.status, journal.owed, invoice.total_minor, paid.minor)
          FROM billing_invoice invoice
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(CASE line.side WHEN 'DEBIT' THEN line.amount_minor
                                ELSE -line.amount_minor END), 0) AS owed
              FROM billing_journalline line
             WHERE line.invoice_id = invoice.id AND line.account_id = 'receivables') journal
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor
              FROM billing_allocation WHERE invoice_id = invoice.id) paid
         WHERE journal.owed <> CASE
                 WHEN invoice.status IN ('PENDING', 'CHARGED_WITH_ERROR', 'PAID')
                 THEN invoice.total_minor - paid.minor ELSE 0 END
            OR (invoice.status = 'PAID' AND paid.minor <> invoice.total_minor)
    """,
    "no invoice is charged twice": """
        SELECT invoice_id, format('%s attempts succeeded', count(*))
          FROM billing_paymentattempt WHERE status = 'SUCCEEDED'
         GROUP BY invoice_id HAVING count(*) > 1
    """,
    "every success is a payment, and every payment of an attempt a success": """
        SELECT coalesce(attempt.id, payment.attempt_id), 'only on one side'
          FROM (SELECT * FROM billing_paymentattempt WHERE status = 'SUCCEEDED') attempt
          FULL JOIN (SELECT * FROM billing_payment WHERE attempt_id IS NOT NULL) payment
            ON payment.attempt_id = attempt.id AND payment.amount_minor = attempt.amount_minor
         WHERE attempt.id IS NULL OR payment.id IS NULL
    """,
    "a payment is allocated whole and booked as cash": """
        SELECT payment.id, format('%s: allocated %s', payment.amount_minor,
               (SELECT sum(amount_minor) FROM billing_allocation
                 WHERE payment_id = payment.id))
          FROM billing_payment payment
         WHERE payment.amount_minor IS DISTINCT FROM (
                 SELECT sum(amount_minor) FROM billing_allocation
                  WHERE payment_id = payment.id)
            OR payment.amount_minor IS DISTINCT FROM (
                 SELECT sum(line.amount_minor) FROM billing_journalline line
                   JOIN billing_journalentry entry ON entry.id = line.entry_id
                  WHERE entry.idempotency_key = 'payment:' || payment.id || ':received'
                    AND line.side = 'DEBIT' AND line.account_id = 'cash:' || payment.gateway)
    """,
    "usage totals equal their events": """
        SELECT coalesce(total.period_id, event.period_id),
               format('total %s, events %s', total.quantity + total.late_quantity, event.quantity)
          FROM billing_usagetotal total
          FULL JOIN (SELECT period_id, meter_id, sum(quantity) AS quantity
                       FROM billing_usageevent WHERE period_id IS NOT NULL
                      GROUP BY period_id, meter_id) event
            ON event.period_id = total.period_id AND event.meter_id = total.meter_id
         WHERE coalesce(total.quantity + total.late_quantity, 0) <> coalesce(event.quantity, 0)
    """,
    "usage days equal their events": """
        SELECT coalesce(total.customer_id, event.customer_id),
               format('%s: day %s, events %s', coalesce(total.day, event.day),
                      total.quantity, event.quantity)
          FROM billing_usageday total
          FULL JOIN (SELECT customer_id, meter_id, day, sum(quantity) AS quantity
                       FROM billing_usageevent GROUP BY customer_id, meter_id, day) event
            ON event.customer_id = total.customer_id AND event.meter_id = total.meter_id
           AND event.day = total.day
         WHERE coalesce(total.quantity, 0) <> coalesce(event.quantity, 0)
    """,
    "no event waits where a period counts it": """
        SELECT event.id, 'falls in period ' || period.id
          FROM billing_usageevent event
          JOIN plans_meter meter ON meter.id = event.meter_id
          JOIN billing_billingperiod period ON period.customer_id = event.customer_id
           AND period.starts_at <= event.occurred_at AND event.occurred_at < period.ends_at
           AND meter.code = ANY(period.meters)
         WHERE event.period_id IS NULL
    """,
    "periods follow each other and a closed one is invoiced": """
        SELECT id, 'overlaps the next one' FROM (
          SELECT id, ends_at, lead(starts_at) OVER w AS next_start
            FROM billing_billingperiod WINDOW w AS (PARTITION BY subscription_id ORDER BY starts_at)
        ) period WHERE next_start < ends_at
        UNION ALL
        SELECT period.id, 'closed, not invoiced' FROM billing_billingperiod period
          LEFT JOIN billing_invoice invoice ON invoice.period_id = period.id
         WHERE period.kind = 'REGULAR' AND (period.closed_at IS NULL) <> (invoice.id IS NULL)
    """,
}
