"""Checks of what gateways kept and paid out (see `verification`)."""

from __future__ import annotations

from typing import Final

CHECKS: Final[dict[str, str]] = {
    "the fees in the journal are those that gateways kept": """
        SELECT coalesce(booked.account, kept.account),
               format('%s in the journal, %s kept', coalesce(booked.minor, 0),
                      coalesce(kept.minor, 0))
          FROM (SELECT account_id AS account, currency, sum(CASE side WHEN 'DEBIT' THEN amount_minor
                                                       ELSE -amount_minor END) AS minor
                  FROM billing_journalline WHERE account_id LIKE 'fees:%' GROUP BY 1, 2) booked
          FULL JOIN (SELECT 'fees:' || gateway AS account, currency, sum(fee_minor) AS minor
                       FROM billing_gatewaymovement GROUP BY 1, 2) kept USING (account, currency)
         WHERE coalesce(booked.minor, 0) <> coalesce(kept.minor, 0)
    """,
    "the bank account is what gateways paid out": """
        SELECT coalesce(booked.currency, sent.currency),
               format('%s in the journal, %s paid out', coalesce(booked.minor, 0),
                      coalesce(sent.minor, 0))
          FROM (SELECT currency, sum(CASE side WHEN 'DEBIT' THEN amount_minor
                                     ELSE -amount_minor END) AS minor
                  FROM billing_journalline WHERE account_id = 'bank' GROUP BY 1) booked
          FULL JOIN (SELECT currency, sum(amount_minor) AS minor FROM billing_gatewaypayout
                      WHERE status <> 'FAILED' GROUP BY 1) sent USING (currency)
         WHERE coalesce(booked.minor, 0) <> coalesce(sent.minor, 0)
    """,
}
