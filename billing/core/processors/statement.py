"""How far each month and day changed what a customer owes, so that a statement needs no scan.

The balance of a statement is what the customer owes, less what is theirs: their credit, and
refunds on their way. Days are those of UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any, Final

from billing.core.postings import CUSTOMER_CREDIT, RECEIVABLES, REFUNDS
from billing.core.processors.base import Entry, Place, Values

ACCOUNTS: Final = frozenset({RECEIVABLES.code, CUSTOMER_CREDIT.code, REFUNDS.code})


class Statement:
    """`(customer, "USD:2026-04")` → what changed in the month, and on which of its days."""

    name = "statement"

    def places(self, entry: Entry) -> Collection[Place]:
        """Its month, in each currency."""
        if entry.customer is None:
            return []
        month = entry.occurred_at.astimezone(UTC).strftime("%Y-%m")
        return [Place(entry.scope, f"{currency}:{month}") for currency in _changes(entry)]

    def fold(self, entry: Entry, before: Values) -> Values:
        """Added up; what comes to nothing leaves no trace."""
        day = entry.occurred_at.astimezone(UTC).strftime("%d")
        changes = _changes(entry)
        return {
            place: _added(value, day, changes[place.key.partition(":")[0]])
            for place, value in before.items()
        }


def _added(value: Mapping[str, Any] | None, day: str, change: int) -> dict[str, Any] | None:
    days = dict(value["days"]) if value else {}
    days[day] = days.get(day, 0) + change
    kept = {day: minor for day, minor in sorted(days.items()) if minor}
    return {"change": sum(kept.values()), "days": kept} if kept else None


def _changes(entry: Entry) -> Counter[str]:
    changes: Counter[str] = Counter()
    for line in entry.lines:
        if line.account in ACCOUNTS:
            changes[line.amount.currency] += line.signed
    return changes


PROCESSOR: Final = Statement()
