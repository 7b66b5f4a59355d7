"""Monthly recurring revenue, and what moved it month by month."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any, Final

from billing.core.money import Money
from billing.core.processors.base import COMMON, Entry, Place, Value, Values

MOVEMENTS: Final = ("new", "expansion", "contraction", "churn", "reactivation")


class Mrr:
    """`(customer, subscription)` → its MRR; `("", "USD:2026-04")` → the month's movements.

    A subscription is new once; from nothing to something afterwards it is reactivated, and from
    something to nothing, paused or canceled, it has churned.
    """

    name = "mrr"

    def places(self, entry: Entry) -> Collection[Place]:
        """The subscription, and the month it moved in."""
        said = entry.context.get("mrr")
        subscription = entry.context.get("subscription")
        if entry.customer is None or said is None or subscription is None:
            return []
        return [Place(entry.scope, subscription), _month(entry, said["currency"])]

    def fold(self, entry: Entry, before: Values) -> Values:
        """The difference goes to the month, under the name of its movement."""
        said = entry.context["mrr"]
        subscription = Place(entry.scope, entry.context["subscription"])
        month = _month(entry, said["currency"])
        known = before[subscription]
        minor = Money.parse(said["amount"], said["currency"]).minor
        earlier = known["minor"] if known else 0
        if minor == earlier:
            return {}
        moved = _moved(before[month] or {}, _movement(known, minor), minor - earlier)
        return {
            subscription: {"minor": minor, "currency": said["currency"]},
            month: moved,
        }


def _month(entry: Entry, currency: str) -> Place:
    return Place(COMMON, f"{currency}:{entry.occurred_at.astimezone(UTC):%Y-%m}")


def _movement(known: Mapping[str, Any] | None, minor: int) -> str:
    if known is None:
        return "new"
    if not known["minor"]:
        return "reactivation"
    if not minor:
        return "churn"
    return "expansion" if minor > known["minor"] else "contraction"


def _moved(month: Mapping[str, int], movement: str, change: int) -> Value:
    return {**month, movement: month.get(movement, 0) + change}


PROCESSOR: Final = Mrr()
