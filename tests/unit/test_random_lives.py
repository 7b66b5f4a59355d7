"""Whatever happens to a subscription, each instant of its recurring charge is billed once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.core import rating
from billing.core.agreement import SubscribedPlan
from billing.core.discounts import Coupon, Redemption
from billing.core.invoicing import LineKind
from billing.core.periods import days_between
from plans.terms import Alignment, ChangeCharge, Interval, Proration
from tests.unit import random_lives
from tests.unit.lives import Life
from tests.unit.random_lives import START, ZONES, a_life, lived

Stretch = tuple[datetime, datetime]
zones = st.sampled_from(ZONES)
# Of days, the clocks' changes leave remainders that join the next one.
NO_DAYS = st.sampled_from([Interval.WEEK, Interval.MONTH, Interval.YEAR])


def covered(life: Life) -> list[tuple[datetime, datetime, int]]:
    """What the recurring charge was billed for, and what of it was given back."""
    signs = {LineKind.RECURRING: 1, LineKind.UNUSED: -1}
    return [
        (line.period.start, line.period.end, signs[line.kind])
        for line in life.lines
        if line.period is not None and line.kind in signs
    ]


def uneven(life: Life, running: list[Stretch]) -> list[Stretch]:
    """Where it was not billed exactly once while it ran, and not at all while it did not."""
    billed = covered(life)
    edges = sorted(
        {edge for start, end, _ in billed for edge in (start, end)}
        | {edge for span in running for edge in span}
    )
    found = []
    for start, end in pairwise(edges):
        times = sum(sign for first, last, sign in billed if first <= start and end <= last)
        if times != sum(1 for first, last in running if first <= start and end <= last):
            found.append((start, end))
    return found


def exact(life: Life) -> Fraction:
    """Price × time, by each agreement's own interval, in minor units."""
    whole = Fraction(0)
    for (start, turn), (end, _) in pairwise(life.turns):
        agreed = turn.agreement
        if agreed.stay is None or start == end:
            continue
        nominal = agreed.cadence.nominal(start)
        price = rating.base(agreed.terms, agreed.quantity) * 100
        whole += (
            price
            * Fraction((end - start) / timedelta(seconds=1))
            / Fraction((nominal.end - nominal.start) / timedelta(seconds=1))
        )
    return whole


def roundings(life: Life) -> Fraction:
    """How far rounding may lead: half a cent for each line, and once more for what is unused."""
    kinds = (LineKind.RECURRING, LineKind.UNUSED)
    return Fraction(1) + sum(1 for line in life.lines if line.kind in kinds)


@settings(max_examples=30)
@given(random_lives.plans(random_lives.terms()), zones, st.data())
def test_each_instant_is_billed_once_and_at_its_price(
    plans: list[SubscribedPlan], zone: str, data: st.DataObject
) -> None:
    """Plans, seats, pauses, billing days, intervals, in advance and in arrears, in any order."""
    life = a_life(plans[0], zone)
    charges = (ChangeCharge.PRORATE, ChangeCharge.RESET)
    running, _ = lived(life, data.draw(random_lives.moves(plans, charges=charges)))

    assert uneven(life, running) == []
    assert abs(life.owed.minor - exact(life)) <= roundings(life)


@settings(max_examples=20)
@given(random_lives.plans(random_lives.terms()), zones, st.data())
def test_half_price_for_ever_is_half_of_everything(
    plans: list[SubscribedPlan], zone: str, data: st.DataObject
) -> None:
    """Charges, credits and what is carried: a discount is neither lost nor given twice."""
    life = a_life(plans[0], zone, Redemption(UUID(int=0), Coupon("HALF", Decimal(50)), None))
    charges = (ChangeCharge.PRORATE, ChangeCharge.RESET)
    lived(life, data.draw(random_lives.moves(plans, charges=charges)))

    assert abs(life.owed.minor - exact(life) / 2) <= 2 * roundings(life)


@settings(max_examples=20)
@given(random_lives.plans(random_lives.terms(interval=NO_DAYS)), zones, st.data())
def test_a_change_that_costs_nothing_leaves_no_instant_out(
    plans: list[SubscribedPlan], zone: str, data: st.DataObject
) -> None:
    life = a_life(plans[0], zone)
    charges = (ChangeCharge.PRORATE, ChangeCharge.NONE)
    running, _ = lived(life, data.draw(random_lives.moves(plans, charges=charges)))

    assert uneven(life, running) == []


@settings(max_examples=20)
@given(
    st.sampled_from([Proration.DAY, Proration.FIXED_30]),
    zones,
    st.data(),
)
def test_days_are_billed_once_as_well(policy: Proration, zone: str, data: st.DataObject) -> None:
    """A remainder without a midnight in it is no day of its own."""
    plans = data.draw(random_lives.plans(random_lives.terms(proration=st.just(policy))))
    life = a_life(plans[0], zone)
    running, _ = lived(life, data.draw(random_lives.moves(plans)))

    gaps = uneven(life, running)
    assert all(days_between(*gap, life.agreement.zone) <= 1 for gap in gaps), gaps


@settings(max_examples=20)
@given(
    st.sampled_from([Proration.DAY, Proration.SECOND, Proration.FIXED_30]),
    NO_DAYS,
    zones,
    st.data(),
)
def test_switches_between_plans_of_one_price_change_nothing(
    policy: Proration, interval: Interval, zone: str, data: st.DataObject
) -> None:
    same = random_lives.terms(
        amount=st.just(Decimal("99.99")),
        proration=st.just(policy),
        interval=st.just(interval),
        interval_count=st.just(1),
        alignment=st.just(data.draw(st.sampled_from(Alignment))),
    )
    plans = data.draw(random_lives.plans(same))
    switches = [
        random_lives.Move(later, {"plan": plans[index]})
        for later, index in data.draw(
            st.lists(
                st.tuples(st.timedeltas(timedelta(), timedelta(days=20)), st.integers(0, 2)),
                max_size=5,
            )
        )
    ]
    life = a_life(plans[0], zone)
    _, end = lived(life, switches)
    steady = a_life(plans[0], zone)
    lived(steady, [random_lives.Move(end - START - timedelta(days=45), {"quantity": 2})])

    assert abs(life.owed.minor - steady.owed.minor) <= roundings(life) + roundings(steady)
