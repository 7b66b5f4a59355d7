"""Checks of credit notes, refunds and disputes (see `verification`)."""

from __future__ import annotations

from typing import Final

CHECKS: Final[dict[str, str]] = {
    "credit notes take back no more of a line than it is": """
        SELECT line.id, format('%s + %s credited of %s + %s', noted.net, noted.tax, line.net,
                               line.tax_minor)
          FROM (SELECT id, tax_minor, amount_minor - discount_minor
                       - CASE WHEN is_tax_included THEN tax_minor ELSE 0 END AS net
                  FROM billing_invoiceline) line
          JOIN (SELECT invoice_line_id, sum(net_minor) AS net, sum(tax_minor) AS tax
                  FROM billing_creditnoteline GROUP BY invoice_line_id) noted
            ON noted.invoice_line_id = line.id
         WHERE noted.net NOT BETWEEN least(line.net, 0) AND greatest(line.net, 0)
            OR noted.tax NOT BETWEEN least(line.tax_minor, 0) AND greatest(line.tax_minor, 0)
    """,
    "credit notes take back no more of an invoice than it is, and all of one that is void": """
        SELECT invoice.id, format('%s: %s credited of %s', invoice.status,
               coalesce(sum(note.total_minor), 0), invoice.total_minor)
          FROM billing_invoice invoice
          LEFT JOIN billing_creditnote note ON note.invoice_id = invoice.id
         WHERE invoice.number IS NOT NULL
         GROUP BY invoice.id
        HAVING coalesce(sum(note.total_minor), 0) > invoice.total_minor
            OR (invoice.status IN ('CANCELED', 'REFUNDED')
                AND coalesce(sum(note.total_minor), 0) <> invoice.total_minor)
    """,
    "a credit note is its lines, its taxes, and where it went": """
        SELECT note.id, format('total %s, tax %s; lines %s + %s; taxes %s + %s; refunds %s, %s',
               note.total_minor, note.tax_minor, lines.net, lines.tax, taxes.base, taxes.minor,
               returned.minor, 'credit ' || given.minor)
          FROM billing_creditnote note
          JOIN billing_invoice invoice ON invoice.id = note.invoice_id
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(row.net_minor), 0) AS net, coalesce(sum(row.tax_minor), 0) AS tax,
                   bool_or(line.invoice_id <> note.invoice_id) AS is_strange
              FROM billing_creditnoteline row
              JOIN billing_invoiceline line ON line.id = row.invoice_line_id
             WHERE row.credit_note_id = note.id) lines
          CROSS JOIN LATERAL (
            SELECT coalesce(sum((row->>'base_minor')::bigint), 0) AS base,
                   coalesce(sum((row->>'amount_minor')::bigint), 0) AS minor
              FROM jsonb_array_elements(note.tax_totals) row) taxes
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor,
                   coalesce(sum(amount_minor) FILTER (WHERE status = 'FAILED'), 0) AS failed
              FROM billing_refund WHERE credit_note_id = note.id) returned
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor
              FROM billing_creditgrant WHERE credit_note_id = note.id) given
         WHERE note.total_minor <> note.to_due_minor + note.to_credit_minor + note.to_refund_minor
            OR (lines.net + lines.tax, lines.tax) <> (note.total_minor, note.tax_minor)
            OR (taxes.base + taxes.minor, taxes.minor) <> (note.total_minor, note.tax_minor)
            OR lines.is_strange
            OR returned.minor <> note.to_refund_minor
            OR given.minor <> note.to_credit_minor + returned.failed
            OR (note.customer_id, note.currency) <> (invoice.customer_id, invoice.currency)
    """,
    "a credit note is in the journal, and no other": """
        SELECT coalesce(note.id::text, entry.idempotency_key), 'only on one side'
          FROM billing_creditnote note
          FULL JOIN (
            SELECT * FROM billing_journalentry WHERE kind = 'CREDIT_NOTE_ISSUED') entry
            ON entry.idempotency_key = 'credit_note:' || note.id || ':issued'
         WHERE note.id IS NULL OR entry.id IS NULL
    """,
    "a series of credit notes has every number once": """
        SELECT series.prefix, format('next is %s, %s credit notes up to %s',
               series.next_number, count(note.id), max(note.sequence))
          FROM billing_invoiceseries series
          LEFT JOIN billing_creditnote note ON note.series_id = series.id
         WHERE series.kind = 'CREDIT_NOTE'
         GROUP BY series.id
        HAVING count(note.id) <> series.next_number - series.first_number
            OR coalesce(max(note.sequence), series.first_number - 1) <> series.next_number - 1
        UNION ALL
        SELECT note.number, 'numbered from a series of ' || series.kind
          FROM billing_creditnote note
          JOIN billing_invoiceseries series ON series.id = note.series_id
         WHERE series.kind <> 'CREDIT_NOTE'
    """,
    "no more of a payment goes back than came": """
        SELECT payment.id, format('%s of %s', returned.minor, payment.amount_minor)
          FROM billing_payment payment
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS minor,
                   bool_or((customer_id, currency) <> (payment.customer_id, payment.currency))
                     AS is_strange
              FROM billing_refund WHERE payment_id = payment.id AND status <> 'FAILED') returned
         WHERE returned.minor > payment.amount_minor OR returned.is_strange
    """,
    "the refunds account is what is on its way": """
        SELECT coalesce(held.customer_id, underway.customer_id),
               format('%s: %s in the journal, %s under way',
                      coalesce(held.currency, underway.currency), held.minor, underway.minor)
          FROM (SELECT entry.customer_id, line.currency,
                       sum(CASE line.side WHEN 'CREDIT' THEN line.amount_minor
                           ELSE -line.amount_minor END) AS minor
                  FROM billing_journalline line
                  JOIN billing_journalentry entry ON entry.id = line.entry_id
                 WHERE line.account_id = 'refunds'
                 GROUP BY entry.customer_id, line.currency) held
          FULL JOIN (
            SELECT customer_id, currency, sum(amount_minor) AS minor FROM billing_refund
             WHERE status NOT IN ('SUCCEEDED', 'FAILED')
             GROUP BY customer_id, currency) underway USING (customer_id, currency)
         WHERE coalesce(held.minor, 0) <> coalesce(underway.minor, 0)
    """,
    "a refund that was paid or failed is in the journal, and no other": """
        SELECT coalesce(refund.id::text, entry.idempotency_key), 'only on one side'
          FROM (SELECT *, 'refund:' || id || CASE status WHEN 'FAILED' THEN ':failed'
                                             ELSE ':paid' END AS name
                  FROM billing_refund WHERE status IN ('SUCCEEDED', 'FAILED')) refund
          FULL JOIN (SELECT * FROM billing_journalentry
                      WHERE kind IN ('REFUND_PAID', 'REFUND_FAILED') AND NOT EXISTS (
                        SELECT FROM billing_journalentry returned
                         WHERE returned.idempotency_key
                               = replace(billing_journalentry.idempotency_key, ':paid', ':returned')
                           AND returned.kind = 'REFUND_RETURNED')) entry
            ON entry.idempotency_key = refund.name
         WHERE refund.id IS NULL OR entry.id IS NULL
    """,
    "the disputes account is what gateways hold back": """
        SELECT coalesce(held.customer_id, contested.customer_id),
               format('%s: %s in the journal, %s contested',
                      coalesce(held.currency, contested.currency), held.minor, contested.minor)
          FROM (SELECT entry.customer_id, line.currency,
                       sum(CASE line.side WHEN 'DEBIT' THEN line.amount_minor
                           ELSE -line.amount_minor END) AS minor
                  FROM billing_journalline line
                  JOIN billing_journalentry entry ON entry.id = line.entry_id
                 WHERE line.account_id = 'disputes'
                 GROUP BY entry.customer_id, line.currency) held
          FULL JOIN (
            SELECT customer_id, currency, sum(amount_minor) AS minor FROM billing_dispute
             WHERE source = 'GATEWAY' AND status = 'OPEN'
             GROUP BY customer_id, currency) contested USING (customer_id, currency)
         WHERE coalesce(held.minor, 0) <> coalesce(contested.minor, 0)
    """,
    "what is in protest is contested": """
        SELECT invoice.id, 'no dispute is open'
          FROM billing_invoice invoice
         WHERE invoice.status = 'IN_PROTEST' AND NOT EXISTS (
                 SELECT FROM billing_allocation allocation
                   JOIN billing_dispute dispute ON dispute.payment_id = allocation.payment_id
                  WHERE allocation.invoice_id = invoice.id AND allocation.reversed_at IS NULL
                    AND dispute.status = 'OPEN')
    """,
}
