"""Reports over all customers, from what processors have digested: a few seconds behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from billing.core.money import Money
from billing.core.processors import mrr
from billing.core.processors.base import COMMON
from billing.core.processors.open_invoices import PROCESSOR as OPEN_INVOICES
from billing.models import JournalBlock, ProcessorPosition, Projection

# The columns of ageing: days overdue, up to and with.
BUCKETS: Final = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90")


@dataclass(frozen=True, slots=True)
class Aged:
    """What one customer owes in one currency, or all of them together, by how late it is.

    :param customer: the customer's id; None for all.
    :param parts: one amount for each of `BUCKETS`.
    """

    customer: str | None
    organization_id: str
    parts: Sequence[Money]
    owed: Money


@dataclass(frozen=True, slots=True)
class Month:
    """How monthly recurring revenue moved in a month.

    :param movements: by their names; what lessens it is negative.
    :param closing: at the end of the month.
    """

    month: str
    movements: dict[str, Money]
    closing: Money


# Payments settle the earliest instalments first, so what is owed is the latest ones'.
_PARTS: Final = """
WITH opened AS (
  SELECT stored.scope AS customer, key::uuid AS invoice_id, (value->>'due')::bigint AS minor,
         value->>'currency' AS currency,
         coalesce((value->>'due_at')::timestamptz, invoice.due_at) AS due_at
    FROM billing_projection stored
    LEFT JOIN billing_invoice invoice ON invoice.id = key::uuid
   WHERE processor = %(processor)s
), parts AS (
  SELECT customer, currency, minor, due_at FROM opened
   WHERE NOT EXISTS (SELECT 1 FROM billing_instalment part
                      WHERE part.invoice_id = opened.invoice_id)
  UNION ALL
  SELECT customer, currency, least(part.amount_minor, greatest(minor - coalesce(
           sum(part.amount_minor) OVER (PARTITION BY part.invoice_id ORDER BY part.position DESC
             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0))::bigint, part.due_at
    FROM opened JOIN billing_instalment part ON part.invoice_id = opened.invoice_id
), late AS (
  SELECT customer, currency, minor,
         CASE WHEN due_at < %(now)s THEN ceil(extract(epoch FROM %(now)s - due_at) / 86400)
              ELSE 0 END AS days
    FROM parts
), aged AS (
  SELECT {who} AS customer, currency,
         coalesce(sum(minor) FILTER (WHERE days = 0), 0)::bigint,
         coalesce(sum(minor) FILTER (WHERE days BETWEEN 1 AND 30), 0)::bigint,
         coalesce(sum(minor) FILTER (WHERE days BETWEEN 31 AND 60), 0)::bigint,
         coalesce(sum(minor) FILTER (WHERE days BETWEEN 61 AND 90), 0)::bigint,
         coalesce(sum(minor) FILTER (WHERE days > 90), 0)::bigint,
         sum(minor)::bigint AS owed
    FROM late GROUP BY 1, 2
)
"""
_SOME: Final = """
SELECT aged.*, customer.organization_id FROM aged
  JOIN customers_customer customer ON customer.id = aged.customer::uuid
 ORDER BY owed DESC, aged.customer, currency OFFSET %(offset)s LIMIT %(limit)s
"""
_BY_CUSTOMER: Final = "".join((_PARTS.format(who="customer"), _SOME))
_COUNTED: Final = "".join((_PARTS.format(who="customer"), "SELECT count(*) FROM aged"))
_ALTOGETHER: Final = "".join(
    (_PARTS.format(who="''"), "SELECT aged.*, '' FROM aged ORDER BY currency")
)


def ageing(*, now: datetime) -> list[Aged]:
    """What all customers owe, by currency."""
    return [_aged(row) for row in _run(_ALTOGETHER, now)]


def ageing_by_customer(*, now: datetime, offset: int, limit: int) -> tuple[int, list[Aged]]:
    """How many rows there are, and some of them: who owes most first, one for each currency."""
    ((count,),) = _run(_COUNTED, now)
    return count, [_aged(row) for row in _run(_BY_CUSTOMER, now, offset=offset, limit=limit)]


def mrr_by_month(*, first: str, last: str) -> list[Month]:
    """Movements of each month and currency that had any, from `2026-01` to and with `2026-12`."""
    rows = Projection.objects.filter(processor=mrr.PROCESSOR.name, scope=COMMON)
    closing: dict[str, int] = {}
    found = []
    for key, moved in sorted(rows.values_list("key", "value"), key=lambda row: row[0]):
        currency, _, month = key.partition(":")
        closing[currency] = closing.get(currency, 0) + sum(moved.values())
        if first <= month <= last:
            movements = {name: Money(moved.get(name, 0), currency) for name in mrr.MOVEMENTS}
            found.append(Month(month, movements, Money(closing[currency], currency)))
    return sorted(found, key=lambda row: (row.month, row.closing.currency))


def digested_at(processor: str) -> datetime | None:
    """When what a processor has digested was sealed; None before there is anything."""
    block = ProcessorPosition.objects.filter(processor=processor).values("block")
    return JournalBlock.objects.filter(number__in=block).values_list("sealed_at", flat=True).first()


AGEING: Final = OPEN_INVOICES.name
MRR: Final = mrr.PROCESSOR.name


def _run(sql: str, now: datetime, **more: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"processor": AGEING, "now": now, **more})
        return list(cursor.fetchall())


def _aged(row: tuple[Any, ...]) -> Aged:
    customer, currency, *minors, owed, organization_id = row
    return Aged(
        customer=customer or None,
        organization_id=organization_id,
        parts=[Money(minor, currency) for minor in minors],
        owed=Money(owed, currency),
    )
