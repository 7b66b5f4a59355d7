"""What every account holds, of each customer and altogether. Debits are positive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

from billing.core.processors.base import COMMON, Entry, Place, Values


class Balances:
    """`(customer, "USD:receivables")` → minor units; gone at zero."""

    name = "balances"

    def places(self, entry: Entry) -> Collection[Place]:
        """Its accounts, of its customer and of all."""
        return list(_changes(entry))

    def fold(self, entry: Entry, before: Values) -> Values:
        """Added up."""
        return {
            place: (before[place] or 0) + change or None
            for place, change in _changes(entry).items()
        }


def key(account: str, currency: str) -> str:
    """Where an account's balance is kept."""
    return f"{currency}:{account}"


def _changes(entry: Entry) -> Counter[Place]:
    changes: Counter[Place] = Counter()
    for line in entry.lines:
        for scope in {COMMON, entry.scope}:
            changes[Place(scope, key(line.account, line.amount.currency))] += line.signed
    return changes


PROCESSOR: Final = Balances()
