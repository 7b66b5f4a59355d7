"""What must hold of dunning, as `verification` checks it."""

from __future__ import annotations

from typing import Final

CHECKS: Final[dict[str, str]] = {
    "what is dunned is in error, its customer's, and due some time": """
        SELECT run.id, format('invoice %s is %s; due %s', invoice.number, invoice.status,
               run.due_at)
          FROM billing_dunningrun run
          JOIN billing_invoice invoice ON invoice.id = run.invoice_id
          LEFT JOIN billing_billingprofile profile ON profile.customer_id = run.customer_id
         WHERE run.customer_id <> invoice.customer_id
            OR (run.status = 'RUNNING' AND (invoice.status <> 'CHARGED_WITH_ERROR'
                OR run.due_at IS NULL OR profile.is_dunned IS FALSE))
    """,
    "dunning is in the journal from its beginning to its end": """
        SELECT run.id, format('%s: %s beginnings, %s ends', run.status, journal.started,
               journal.ended)
          FROM billing_dunningrun run
          CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE kind = 'DUNNING_STARTED') AS started,
                   count(*) FILTER (WHERE kind = 'DUNNING_ENDED') AS ended
              FROM billing_journalentry
             WHERE idempotency_key IN ('dunning:' || run.id || ':started',
                                       'dunning:' || run.id || ':ended')) journal
         WHERE journal.started <> 1
            OR journal.ended <> (run.status IN ('RECOVERED', 'EXHAUSTED'))::int
    """,
    "every dunning notice is in the journal, and no other": """
        SELECT coalesce(notice.key, entry.idempotency_key), 'only on one side'
          FROM (SELECT format('dunning:%s:notice:%s', run_id, position) AS key
                  FROM billing_dunningnotice) notice
          FULL JOIN (SELECT * FROM billing_journalentry WHERE kind = 'DUNNING_NOTICE') entry
            ON entry.idempotency_key = notice.key
         WHERE notice.key IS NULL OR entry.id IS NULL
    """,
    "what is written off is in the journal, and nothing else": """
        SELECT coalesce(invoice.id::text, entry.idempotency_key), 'only on one side'
          FROM (SELECT * FROM billing_invoice WHERE status = 'UNCOLLECTIBLE') invoice
          FULL JOIN (SELECT * FROM billing_journalentry WHERE kind = 'INVOICE_WRITTEN_OFF') entry
            ON entry.idempotency_key = 'invoice:' || invoice.id || ':written_off'
         WHERE invoice.id IS NULL OR entry.id IS NULL
    """,
    "nothing is charged again by itself where dunning stopped": """
        SELECT invoice.id, format('next charge %s, dunning %s', invoice.next_charge_at, run.status)
          FROM billing_invoice invoice
          CROSS JOIN LATERAL (
            SELECT status FROM billing_dunningrun WHERE invoice_id = invoice.id
             ORDER BY id DESC LIMIT 1) run
         WHERE invoice.next_charge_at IS NOT NULL AND run.status IN ('STOPPED', 'EXHAUSTED')
           AND NOT EXISTS (SELECT 1 FROM billing_instalment WHERE invoice_id = invoice.id)
    """,
}
