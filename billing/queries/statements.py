"""What a customer owed, what changed it, and what they owe: by checkpoints, whatever their past.

The balance is what they owe, less their credit and refunds on their way: negative where we owe
them. See `core.processors.statement`, which keeps the checkpoints.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.db import connection

from billing.core.money import Money
from billing.core.processors import statement as checkpoints
from billing.models import CreditNote, Invoice, Payment
from billing.queries import projections
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Source:
    """The document an entry came of.

    :param number: what people call it; empty where it has no such name.
    """

    kind: str
    id: UUID
    number: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """An entry that changed what is owed.

    :param amount: positive where more is owed since.
    :param reason: why, as far as the entry says more than its kind does.
    :param balance: after it.
    """

    at: datetime
    kind: str
    reason: str
    amount: Money
    balance: Money
    source: Source | None

    @property
    def what(self) -> str:
        """Its kind in words."""
        return _WORDS.get(self.kind) or self.kind.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Statement:
    """One currency's; the opening balance and all items come to the closing one."""

    opening: Money
    items: Sequence[Item]
    closing: Money


def of(
    customer: Customer, *, since: datetime, until: datetime, currency: str | None = None
) -> list[Statement]:
    """A customer's statements from `since` to before `until`, by currency.

    :param currency: only of this one, even if it has nothing to say.
    """
    before, rows = _opening(customer, since), _rows(customer, since, until)
    named = _named([_source(row) for row in rows])
    by_currency = {
        code: list(found)
        for code, found in groupby(sorted(rows, key=lambda row: row.currency), lambda r: r.currency)
    }
    codes = [currency] if currency else sorted({*before, *by_currency})
    return [
        _statement(Money(before[code], code), by_currency.get(code, []), named) for code in codes
    ]


def usual_start(customer: Customer, until: datetime) -> datetime:
    """Where a statement begins if nobody says: with the month before, in the customer's zone."""
    local = until.astimezone(customer.zone)
    first = datetime(local.year, local.month, 1, tzinfo=customer.zone)
    before = first - timedelta(days=1)
    return datetime(before.year, before.month, 1, tzinfo=customer.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Row:
    at: datetime
    kind: str
    source_kind: str
    source_id: UUID | None
    context: Mapping[str, Any]
    currency: str
    minor: int
    invoice_id: UUID | None


_ROWS: Final = """
SELECT entry.occurred_at, entry.kind, entry.source_kind, entry.source_id, entry.context,
       line.currency,
       sum(CASE line.side WHEN 'DEBIT' THEN line.amount_minor ELSE -line.amount_minor END)::bigint,
       (array_agg(line.invoice_id))[1]
  FROM billing_journalentry entry
  JOIN billing_journalline line ON line.entry_id = entry.id AND line.account_id = ANY(%s)
 WHERE entry.customer_id = %s AND entry.occurred_at >= %s AND entry.occurred_at < %s
 GROUP BY entry.id, line.currency ORDER BY entry.occurred_at, entry.id
"""


def _rows(customer: Customer, since: datetime, until: datetime) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [sorted(checkpoints.ACCOUNTS), customer.pk, since, until])
        return [
            # Django leaves JSON as text where it reads no field of a model.
            _Row(at, kind, source, pk, json.loads(context), *money)
            for at, kind, source, pk, context, *money in cursor.fetchall()
        ]


def _opening(customer: Customer, since: datetime) -> Counter[str]:
    """Currency → the balance before an instant: months, days of its month, and the day's start."""
    at = since.astimezone(UTC)
    this_month, today = f"{at:%Y-%m}", f"{at:%d}"
    opening: Counter[str] = Counter()
    for key, value in projections.of(checkpoints.PROCESSOR.name, customer).items():
        currency, _, month = key.partition(":")
        if month < this_month:
            opening[currency] += value["change"]
        elif month == this_month:
            opening[currency] += sum(minor for day, minor in value["days"].items() if day < today)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight < at:
        for row in _rows(customer, midnight, since):
            opening[row.currency] += row.minor
    return Counter({currency: minor for currency, minor in opening.items() if minor})


def _statement(
    opening: Money, rows: Sequence[_Row], named: Mapping[Source | None, Source]
) -> Statement:
    balance, items = opening, []
    for row in rows:
        amount = Money(row.minor, row.currency)
        balance += amount
        source = named.get(_source(row))
        items.append(Item(row.at, row.kind, _reason(row.context), amount, balance, source))
    return Statement(opening, items, balance)


def _source(row: _Row) -> Source | None:
    if row.source_id is not None:
        return Source(row.source_kind, row.source_id)
    return None if row.invoice_id is None else Source("invoice", row.invoice_id)


def _named(sources: Sequence[Source | None]) -> dict[Source | None, Source]:
    """Each with what people call it, in a read for each kind that has such a name."""
    found: dict[Source | None, Source] = {source: source for source in sources if source}
    for kind, (model, field) in _NAMES.items():
        ids = [source.id for source in found if source and source.kind == kind]
        rows = model.objects.filter(pk__in=ids).values_list("pk", field) if ids else ()
        for pk, name in rows:
            found[Source(kind, pk)] = Source(kind, pk, name or "")
    return found


def _reason(context: Mapping[str, Any]) -> str:
    """What the entry says of why: a reason, a note, or what an invoice was for."""
    said = [str(context[name]) for name in ("reason", "note") if context.get(name)]
    if said:
        return ": ".join(said)
    lines = context.get("lines")
    if isinstance(lines, list):
        return ", ".join(str(line["description"]) for line in lines)
    return str(context.get("reference") or context.get("method_kind") or "")


_NAMES: Final[dict[str, tuple[Any, str]]] = {
    "invoice": (Invoice, "number"),
    "credit_note": (CreditNote, "number"),
    "payment": (Payment, "reference"),
}
_WORDS: Final = {
    "INVOICE_FINALIZED": "Invoice",
    "CREDIT_NOTE_ISSUED": "Credit note",
    "PAYMENT_RECEIVED": "Payment",
    "REFUND_PAID": "Refund",
    "INVOICE_WRITTEN_OFF": "Written off",
}
