"""Strategies: subscriptions that live as nobody would, for the properties that always hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from billing.core.agreement import SubscribedPlan
from billing.core.changes import Act
from billing.core.discounts import Redemption
from plans.terms import Alignment, Billed, ChangeCharge, Interval, PlanTerms, Proration
from tests.unit.lives import Life, agreement, local, plan

START = local("2024-01-31T22:30")
INSTANT = timedelta(microseconds=1)
ZONES = ["UTC", "Europe/Berlin", "America/Santiago", "Asia/Tokyo", "Australia/Lord_Howe"]
BOUNDARY = timedelta(-1)  # not so much later, but when the open period ends


@dataclass(frozen=True, slots=True)
class Move:
    """Something that is tried some time after the last thing was."""

    later: timedelta
    change: dict[str, Any]


def terms(**fixed: Any) -> st.SearchStrategy[PlanTerms]:
    """Terms of a plan with seats, to the second unless it is said otherwise."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "currency": st.just("USD"),
        "amount": st.sampled_from([Decimal("10.01"), Decimal(100), Decimal("29999.99")]),
        "interval": st.sampled_from(Interval),
        "interval_count": st.integers(min_value=1, max_value=3),
        "alignment": st.sampled_from(Alignment),
        "billed": st.sampled_from(Billed),
        "proration": st.just(Proration.SECOND),
        "quantity_unit": st.just("seat"),
    }
    return st.builds(PlanTerms, **(fields | fixed))


def plans(
    of: st.SearchStrategy[PlanTerms], *, count: int = 3
) -> st.SearchStrategy[list[SubscribedPlan]]:
    """Some plans to move between."""
    return st.lists(of, min_size=count, max_size=count).map(
        lambda found: [plan(terms, f"P{index}") for index, terms in enumerate(found)]
    )


def moves(
    subscribed: list[SubscribedPlan],
    *,
    charges: tuple[ChangeCharge, ...] = (ChangeCharge.PRORATE,),
) -> st.SearchStrategy[list[Move]]:
    """Changes of every kind, some of them in the same instant, some as a period ends."""
    charge = st.sampled_from(charges)
    later = st.one_of(
        st.just(timedelta()),
        st.just(BOUNDARY),
        st.timedeltas(timedelta(), timedelta(days=1)).map(_to_the_second),
        st.timedeltas(timedelta(), timedelta(days=70)).map(_to_the_second),
    )
    change = st.one_of(
        st.fixed_dictionaries({"plan": st.sampled_from(subscribed), "charge": charge}),
        st.fixed_dictionaries({"quantity": st.integers(1, 4), "charge": charge}),
        st.sampled_from([{"act": Act.PAUSE}, {"act": Act.RESUME}]),
        st.integers(0, 40).map(lambda days: {"anchor": START + timedelta(days=days)}),
    )
    return st.lists(st.builds(Move, later, change), max_size=7)


def lived(life: Life, moves: list[Move]) -> tuple[list[tuple[datetime, datetime]], datetime]:
    """Let a life take its moves, as far as they can be, and end it some time later.

    :returns: from when to when it was not paused, and when it ended.
    """
    at = START
    running: list[tuple[datetime, datetime]] = []
    since: datetime | None = at
    for move in moves:
        at = _next(life, at, move.later)
        if not life.tries(at, **move.change):
            continue
        if move.change.get("act") == Act.PAUSE and since is not None:
            running.append((since, at))
            since = None
        elif move.change.get("act") == Act.RESUME:
            since = at
    at += timedelta(days=45)
    life.changes(at, act=Act.CANCEL)
    if since is not None:
        running.append((since, at))
    return running, at


def a_life(subscribed: SubscribedPlan, zone: str, *redeemed: Redemption) -> Life:
    """Two seats from the start on."""
    life = Life(agreement(subscribed, quantity=2, zone=zone), redemptions=redeemed)
    return life.begins(START)


def _next(life: Life, at: datetime, later: timedelta) -> datetime:
    life.passes(at - INSTANT)
    stay = life.agreement.stay
    if later == BOUNDARY:
        return at if stay is None else max(at, stay.period.end)
    return at + later


def _to_the_second(span: timedelta) -> timedelta:
    return span - timedelta(microseconds=span.microseconds)
