"""Checks of payments, of what they settle, and of credit (see `verification`)."""

from __future__ import annotations

from typing import Final

CHECKS: Final[dict[str, str]] = {
    "what is owed is what nothing has settled, and nothing where it is paid": """
        SELECT invoice.id, format('%s: owed %s of %s, %s paid, %s by credit, %s by prepaid usage,'
               ' %s credited, %s let go or written off', invoice.status, journal.owed,
               invoice.total_minor, paid.minor, drawn.minor, used.minor, noted.minor,
               journal.let_go)
          FROM billing_invoice invoice
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(signed) FILTER (WHERE account_id = 'receivables'), 0) AS owed,
                   coalesce(sum(signed) FILTER (WHERE account_id IN ('rounding', 'bad_debt')), 0)
                     AS let_go
              FROM (SELECT account_id, CASE side WHEN 'DEBIT' THEN amount_minor
                                       ELSE -amount_minor END AS signed
                      FROM billing_journalline WHERE invoice_id = invoice.id) line) journal
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor FROM billing_allocation
             WHERE invoice_id = invoice.id AND reversed_at IS NULL) paid
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor FROM billing_creditdraw
             WHERE invoice_id = invoice.id AND kind = 'INVOICE') drawn
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor FROM billing_creditdraw
             WHERE kind = 'USAGE' AND billing_period_id IN (
                     SELECT billing_period_id FROM billing_invoiceline
                      WHERE invoice_id = invoice.id AND kind = 'USAGE')) used
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(to_due_minor), 0) AS minor FROM billing_creditnote
             WHERE invoice_id = invoice.id) noted
         WHERE (invoice.number IS NOT NULL
                AND journal.owed <> invoice.total_minor - paid.minor - drawn.minor - used.minor
                                    - noted.minor - journal.let_go)
            OR (invoice.number IS NULL AND (journal.owed, paid.minor, drawn.minor) <> (0, 0, 0))
            OR journal.owed < 0
            OR (invoice.status IN ('PENDING', 'CHARGED_WITH_ERROR')) <> (journal.owed > 0)
    """,
    "no invoice is charged twice": """
        SELECT attempt.invoice_id, format('%s charged of %s, %s of it is credit',
               sum(attempt.amount_minor), invoice.total_minor, sum(over.minor))
          FROM billing_paymentattempt attempt
          JOIN billing_invoice invoice ON invoice.id = attempt.invoice_id
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(given.amount_minor), 0) AS minor
              FROM billing_payment payment
              JOIN billing_creditgrant given ON given.payment_id = payment.id
             WHERE payment.attempt_id = attempt.id) over
         WHERE attempt.status = 'SUCCEEDED'
         GROUP BY attempt.invoice_id, invoice.total_minor
        HAVING sum(attempt.amount_minor) > invoice.total_minor + sum(over.minor)
    """,
    "a payment is what it settles and what became credit, and is booked as cash": """
        SELECT payment.id, format('%s: %s allocated, %s credit', payment.amount_minor,
               settled.minor, over.minor)
          FROM billing_payment payment
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor FROM billing_allocation
             WHERE payment_id = payment.id AND reversed_at IS NULL) settled
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor,
                   coalesce(sum(remaining_minor), 0) AS left_over
              FROM billing_creditgrant WHERE payment_id = payment.id) over
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(CASE line.side WHEN 'DEBIT' THEN line.amount_minor
                                ELSE -line.amount_minor END), 0) AS minor
              FROM billing_journalline line
              JOIN billing_journalentry entry ON entry.id = line.entry_id
             WHERE entry.idempotency_key IN ('payment:' || payment.id || ':received',
                                             'payment:' || payment.id || ':reversed')
               AND line.account_id = 'cash:' || payment.gateway) cash
         WHERE (payment.reversed_at IS NULL
                AND (settled.minor + over.minor, cash.minor)
                    <> (payment.amount_minor, payment.amount_minor))
            OR (payment.reversed_at IS NOT NULL
                AND (settled.minor, over.left_over, cash.minor) <> (0, 0, 0))
    """,
    "a payment settles invoices of its own customer and currency": """
        SELECT allocation.id, 'is between strangers'
          FROM billing_allocation allocation
          JOIN billing_payment payment ON payment.id = allocation.payment_id
          JOIN billing_invoice invoice ON invoice.id = allocation.invoice_id
         WHERE (payment.customer_id, payment.currency) <> (invoice.customer_id, invoice.currency)
        UNION ALL
        SELECT draw.id, 'is between strangers'
          FROM billing_creditdraw draw
          JOIN billing_creditgrant given ON given.id = draw.grant_id
          JOIN billing_invoice invoice ON invoice.id = draw.invoice_id
         WHERE (given.customer_id, given.currency) <> (invoice.customer_id, invoice.currency)
    """,
    "of a grant is left what was not drawn": """
        SELECT given.id, format('%s left of %s, %s drawn', given.remaining_minor,
               given.amount_minor, coalesce(sum(draw.amount_minor), 0))
          FROM billing_creditgrant given
          LEFT JOIN billing_creditdraw draw ON draw.grant_id = given.id
         GROUP BY given.id
        HAVING given.remaining_minor <> given.amount_minor - coalesce(sum(draw.amount_minor), 0)
    """,
    "a customer's credit in the journal is what their grants have left": """
        SELECT coalesce(held.customer_id, granted.customer_id),
               format('%s: %s in the journal, %s in grants',
                      coalesce(held.currency, granted.currency), held.minor, granted.minor)
          FROM (SELECT entry.customer_id, line.currency,
                       sum(CASE line.side WHEN 'CREDIT' THEN line.amount_minor
                           ELSE -line.amount_minor END) AS minor
                  FROM billing_journalline line
                  JOIN billing_journalentry entry ON entry.id = line.entry_id
                 WHERE line.account_id = 'customer_credit'
                 GROUP BY entry.customer_id, line.currency) held
          FULL JOIN (
            SELECT customer_id, currency, sum(remaining_minor) AS minor
              FROM billing_creditgrant GROUP BY customer_id, currency) granted
            USING (customer_id, currency)
         WHERE coalesce(held.minor, 0) <> coalesce(granted.minor, 0)
    """,
    "prepaid usage in the journal is what was drawn for periods not invoiced": """
        SELECT coalesce(held.customer_id, drawn.customer_id),
               format('%s: %s in the journal, %s drawn',
                      coalesce(held.currency, drawn.currency), held.minor, drawn.minor)
          FROM (SELECT entry.customer_id, line.currency,
                       sum(CASE line.side WHEN 'CREDIT' THEN line.amount_minor
                           ELSE -line.amount_minor END) AS minor
                  FROM billing_journalline line
                  JOIN billing_journalentry entry ON entry.id = line.entry_id
                 WHERE line.account_id = 'prepaid_usage'
                 GROUP BY entry.customer_id, line.currency) held
          FULL JOIN (
            SELECT given.customer_id, given.currency, sum(draw.amount_minor) AS minor
              FROM billing_creditdraw draw
              JOIN billing_creditgrant given ON given.id = draw.grant_id
             WHERE draw.kind = 'USAGE' AND NOT EXISTS (
                     SELECT FROM billing_invoiceline line
                       JOIN billing_invoice invoice ON invoice.id = line.invoice_id
                      WHERE line.billing_period_id = draw.billing_period_id
                        AND line.kind = 'USAGE' AND invoice.number IS NOT NULL)
             GROUP BY given.customer_id, given.currency) drawn USING (customer_id, currency)
         WHERE coalesce(held.minor, 0) <> coalesce(drawn.minor, 0)
    """,
    "a draw says what it was for": """
        SELECT id, kind FROM billing_creditdraw
         WHERE (kind = 'INVOICE') <> (invoice_id IS NOT NULL)
            OR (kind = 'USAGE') <> (billing_period_id IS NOT NULL)
    """,
    "credit that was sold came once, and not before it was paid": """
        SELECT invoice.id, format('%s, %s sold, %s given', invoice.status, ordered.minor,
               coalesce(given.amount_minor, 0))
          FROM billing_invoice invoice
          LEFT JOIN billing_creditgrant given ON given.invoice_id = invoice.id
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor FROM billing_invoiceline
             WHERE invoice_id = invoice.id AND kind = 'CREDIT') ordered
         WHERE (invoice.status = 'PAID' AND ordered.minor <> coalesce(given.amount_minor, 0))
            OR (given.id IS NOT NULL AND invoice.purpose = 'SALE')
    """,
    "instalments follow each other, and ask for no more than their invoice": """
        SELECT invoice.id, format('%s in %s parts up to %s, of %s less %s', parts.minor,
               parts.count, parts.last, invoice.total_minor, noted.minor)
          FROM (SELECT invoice_id, sum(amount_minor) AS minor, count(*), max(position) AS last,
                       bool_or(due_at <= before) AS is_disordered
                  FROM (SELECT *, lag(due_at) OVER (PARTITION BY invoice_id ORDER BY position)
                                    AS before
                          FROM billing_instalment) part
                 GROUP BY invoice_id) parts
          JOIN billing_invoice invoice ON invoice.id = parts.invoice_id
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(to_due_minor), 0) AS minor FROM billing_creditnote
             WHERE invoice_id = invoice.id) noted
         WHERE parts.minor > invoice.total_minor - noted.minor
            OR parts.last <> parts.count OR coalesce(parts.is_disordered, false)
    """,
}
