"""What coming periods are supposed to count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.queries.prospects import Basis
from billing.services import subscriptions
from billing.services.subscriptions import Order
from customers.models import Customer
from plans.prices import Price, UsageModel
from plans.terms import Alignment, Interval, PlanTerms, UsageTerms
from tests import builders
from tests.services.ahead import CALLS, simulate, subscriber, used
from tests.world import World

pytestmark = pytest.mark.django_db


def with_history(world: World, **terms: Any) -> Customer:
    """Alice used 999, 290, 150 and 310 in the last four months, and 7 in the current one."""
    world.at("2026-01-01")
    world.sells("Metered", "10.00", usage=CALLS, **terms)
    alice = subscriber(world, "alice", "Metered")
    for month, quantity in enumerate([999, 290, 150, 310], start=1):
        world.at(f"2026-0{month}-15").uses(alice, quantity)
    world.at("2026-05-02").uses(alice, 7)
    return alice


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        (Basis.NONE, [7, 0, 0]),
        (Basis.LAST, [310, 310, 310]),
        (Basis.AVERAGE, [250, 250, 250]),  # (290 + 150 + 310) / 3
    ],
)
def test_usage_goes_on_as_it_was(world: World, basis: Basis, expected: list[int]) -> None:
    (found,) = simulate(with_history(world), basis=basis)

    assert used(found) == expected


def test_an_open_period_counts_what_it_has_at_least(world: World) -> None:
    alice = with_history(world)
    world.uses(alice, 1000)

    (found,) = simulate(alice, basis=Basis.LAST)

    assert used(found) == [1007, 310, 310]


def test_a_short_period_is_scaled_to_a_whole_one(world: World) -> None:
    """100 in 10 of 30 days of April are 300 in May."""
    world.at("2026-04-21")
    alice = world.customer("alice")
    world.adds_card(alice)
    plan = builders.make_plan("Calendar", _calendar())
    subscriptions.start(alice.pk, plan, by="test", now=world.now, order=Order())
    world.uses(alice, 100)
    world.at("2026-05-02")

    (found,) = simulate(alice, months=2, basis=Basis.LAST)

    assert used(found) == [300, 300]


def test_a_period_that_a_change_splits_counts_each_part_once(world: World) -> None:
    alice = with_history(world)
    world.sells("Dearer", "20.00", usage=CALLS)
    world.changes(alice, plan="Dearer", when="2026-05-11")

    (found,) = simulate(alice, months=1, basis=Basis.LAST)

    assert used(found) == [100, 210]  # 10 and 21 of 31 days


def test_a_change_of_quantity_splits_no_usage(world: World) -> None:
    alice = with_history(world, quantity_unit="seat")
    world.changes(alice, quantity=3, when="2026-05-11")

    (found,) = simulate(alice, months=1, basis=Basis.LAST)

    assert sum(used(found)) == 310


def test_a_month_becomes_a_year_of_usage(world: World) -> None:
    alice = with_history(world)
    world.sells("Yearly", "100.00", usage=CALLS, interval=Interval.YEAR)
    world.changes(alice, plan="Yearly", when="period_end")

    (found,) = simulate(alice, months=14, basis=Basis.LAST)

    assert used(found) == [310, 310 * 12]


def test_the_greatest_of_a_month_is_not_scaled(world: World) -> None:
    builders.make_meter("peak", aggregation="MAX")
    peak = (UsageTerms("peak", Price(UsageModel.PER_UNIT, Decimal(1))),)
    world.at("2026-04-21")
    alice = world.customer("alice")
    world.adds_card(alice)
    plan = builders.make_plan("Peak", _calendar(usage=peak))
    subscriptions.start(alice.pk, plan, by="test", now=world.now, order=Order())
    world.uses(alice, 12, "peak")
    world.at("2026-05-02")

    (found,) = simulate(alice, months=1, basis=Basis.LAST)

    assert used(found, "peak") == [12]


def _calendar(**changes: Any) -> PlanTerms:
    fields: dict[str, Any] = {
        "currency": "USD",
        "amount": Decimal(10),
        "alignment": Alignment.CALENDAR,
        "usage": CALLS,
    }
    return PlanTerms(**{**fields, **changes})
