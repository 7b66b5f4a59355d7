"""Checks of deferred revenue (see `verification`)."""

from __future__ import annotations

from typing import Final

CHECKS: Final[dict[str, str]] = {
    "what is deferred is what the days to come will earn": """
        SELECT coalesce(held.currency, left_over.currency),
               format('%s in the journal, %s in deferrals', held.minor, left_over.minor)
          FROM (SELECT currency,
                       sum(CASE side WHEN 'CREDIT' THEN amount_minor ELSE -amount_minor END)
                         AS minor
                  FROM billing_journalline WHERE account_id = 'deferred_revenue'
                 GROUP BY currency) held
          FULL JOIN (
            SELECT currency, sum(amount_minor - round(amount_minor::numeric
                     * (recognized_until_on - starts_on) / (ends_on - starts_on))) AS minor
              FROM billing_deferral GROUP BY currency) left_over USING (currency)
         WHERE coalesce(held.minor, 0) <> coalesce(left_over.minor, 0)
    """,
    "no line defers more than it earns": """
        SELECT line.id, format('%s deferred of %s', sum(deferral.amount_minor),
               line.amount_minor - line.discount_minor
                 - CASE WHEN line.is_tax_included THEN line.tax_minor ELSE 0 END)
          FROM billing_deferral deferral
          JOIN billing_invoiceline line ON line.id = deferral.line_id
         GROUP BY line.id
        HAVING abs(sum(deferral.amount_minor)) > abs(line.amount_minor - line.discount_minor
                 - CASE WHEN line.is_tax_included THEN line.tax_minor ELSE 0 END)
    """,
}
