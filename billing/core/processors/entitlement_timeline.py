"""From when to when a subscription granted what: its status, plan, features and limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC
from typing import Any, Final

from billing.core.processors.base import Entry, Place, Values

_SAID: Final = ("status", "plan", "quantity", "features", "limits")


class EntitlementTimeline:
    """`(customer, subscription)` → how it stood after each entry that says so, by time."""

    name = "entitlement_timeline"

    def places(self, entry: Entry) -> Collection[Place]:
        """The subscription, where the entry says how it stands."""
        if entry.customer is None or "status" not in entry.context:
            return []
        subscription = entry.context.get("subscription")
        return [] if subscription is None else [Place(entry.scope, subscription)]

    def fold(self, entry: Entry, before: Values) -> Values:
        """Put where it belongs in time, whenever it was entered."""
        at = entry.occurred_at.astimezone(UTC).isoformat()
        state = {name: entry.context.get(name) for name in _SAID}
        said = {"from": at, "entry": str(entry.id), **state}
        return {
            place: sorted([*(value or []), said], key=_order) for place, value in before.items()
        }


def spans(states: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a place holds as spans that follow each other: each has a `to`, the last one None."""
    kept: list[dict[str, Any]] = []
    for state in states:
        said = {name: state[name] for name in _SAID}
        if kept and kept[-1]["from"] == state["from"]:
            kept.pop()  # it stood so for no time at all
        if not kept or any(kept[-1][name] != said[name] for name in _SAID):
            kept.append({"from": state["from"], **said})
    ends = [state["from"] for state in kept[1:]] + [None]
    return [{**state, "to": end} for state, end in zip(kept, ends, strict=True)]


def _order(state: Mapping[str, Any]) -> tuple[str, str]:
    return state["from"], state["entry"]


PROCESSOR: Final = EntitlementTimeline()
