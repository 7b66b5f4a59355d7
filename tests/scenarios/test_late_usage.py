"""Usage that comes after the invoice, or is corrected: the next invoice has the difference."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.models import Invoice, UsageTotal
from billing.services import corrections, usage
from billing.services.usage import Report
from customers.models import Customer
from plans.models import Coupon
from plans.prices import Price, Tier, UsageModel
from plans.terms import Billed, UsageTerms
from tests import builders
from tests.world import World, instant

pytestmark = pytest.mark.django_db

TIERS = (Tier(Decimal(100), Decimal(2)), Tier(None, Decimal(1)))


def used_late(world: World, quantity: int, at: str, event_id: str = "late") -> None:
    report = Report(
        event_id=event_id,
        customer="alice",
        meter="api_calls",
        quantity=Decimal(quantity),
        occurred_at=instant(at),
    )
    assert usage.record([report], now=world.now).accepted == 1


def volume(world: World, **terms: object) -> Customer:
    """On a plan of 10.00 with a volume price: 2.00 each up to 100, else all at 1.00."""
    world.at("2026-04-01")
    world.sells(
        "Volume",
        "10.00",
        billed=Billed.IN_ARREARS,
        usage=(UsageTerms("api_calls", Price(UsageModel.VOLUME, tiers=TIERS)),),
        **terms,
    )
    alice = world.customer("alice")
    world.adds_card(alice)
    world.subscribes(alice, "Volume")
    return alice


def test_late_usage_costs_what_it_would_have_also_across_a_tier(world: World) -> None:
    alice = volume(world)
    world.at("2026-04-10").uses(alice, 90)
    world.at("2026-05-02")
    used_late(world, 20, "2026-04-30")
    world.at("2026-06-01")

    assert world.bills(alice) == [
        ("05-01", [("Volume", "10.00"), ("Volume: api_calls", "180.00")], "190.00"),
        (
            "06-01",
            [
                ("Volume: api_calls, adjusted", "-70.00"),
                ("Volume", "10.00"),
                ("Volume: api_calls", "0.00"),
                ("Credit carried over", "60.00"),
            ],
            "0.00",
        ),
    ]
    line = world.newest_invoice(alice).lines.get(kind="ADJUSTMENT")
    assert (line.period_start, line.period_end) == (instant("2026-04-01"), instant("2026-05-01"))
    assert line.explanation == (
        "110 used instead of 90: 110.00 − 180.00 charged before = -70.00 USD"
    )


def test_a_corrected_event_is_adjusted_once(world: World) -> None:
    alice = volume(world)
    world.at("2026-04-10")
    used_late(world, 90, "2026-04-09", event_id="typo")
    world.at("2026-05-02")
    fixed = Report("typo", "alice", "api_calls", Decimal(9), instant("2026-04-09"))
    corrections.replace(fixed, by="test", now=world.now)
    world.at("2026-06-02")
    corrections.withdraw("alice", "typo", by="test", now=world.now)
    world.at("2026-08-02")

    adjusted = [
        amount
        for _, lines, _ in world.bills(alice)
        for name, amount in lines
        if name.endswith("adjusted")
    ]
    assert adjusted == ["-162.00", "-18.00"]
    assert UsageTotal.objects.exclude(quantity=0).count() == 0


def test_late_usage_counts_towards_the_minimum(world: World) -> None:
    alice = volume(world, minimum=Decimal(100))
    world.at("2026-04-10").uses(alice, 20)
    world.at("2026-05-02")
    used_late(world, 10, "2026-04-30")
    world.at("2026-06-01")

    adjusted = [pair for pair in world.bills(alice)[1][1] if pair[0].endswith("adjusted")]
    assert adjusted == [
        ("Volume: api_calls, adjusted", "20.00"),
        ("Volume: minimum, adjusted", "-20.00"),
    ]


def test_what_comes_after_the_cancellation_is_billed_by_a_last_invoice(world: World) -> None:
    alice = volume(world)
    world.at("2026-04-10").uses(alice, 10)
    world.cancels(alice)
    world.at("2026-05-20")
    used_late(world, 5, "2026-04-30")
    world.at("2026-06-29")
    assert Invoice.objects.count() == 1
    world.at("2026-07-01")

    assert world.bills(alice)[1] == ("06-30", [("Volume: api_calls, adjusted", "10.00")], "10.00")
    assert world.subscription(alice).due_at is None


def test_usage_after_a_change_that_is_scheduled_counts_on_the_new_plan(world: World) -> None:
    alice = volume(world)
    builders.make_meter()
    world.sells(
        "Dear",
        "20.00",
        billed=Billed.IN_ARREARS,
        usage=(UsageTerms("api_calls", Price(UsageModel.PER_UNIT, Decimal(5))),),
    )
    world.changes(alice, plan="Dear", when="2026-04-16 12:00")
    world.at("2026-04-16 11:58").uses(alice, 10)
    used_late(world, 1, "2026-04-16 12:01", event_id="ahead")
    world.at("2026-05-01")

    used = [pair for pair in world.bills(alice)[0][1] if ":" in pair[0]]
    assert used == [("Volume: api_calls", "20.00"), ("Dear: api_calls", "5.00")]


def test_late_usage_is_discounted_as_its_period_was(world: World) -> None:
    alice = volume(world)
    half = Coupon.objects.create(
        code="HALF", percent_off=50, duration="REPEATING", periods=1, created_at=world.now
    )
    ten = Coupon.objects.create(
        code="TEN", amount_off=10, currency="USD", duration="ONCE", created_at=world.now
    )
    world.changes(alice, coupon=half)
    world.changes(alice, coupon=ten)
    world.at("2026-05-02")
    used_late(world, 20, "2026-04-30")
    world.at("2026-06-01")

    line = world.newest_invoice(alice).lines.get(kind="ADJUSTMENT")
    assert (line.amount.minor, line.discount.minor) == (40_00, 20_00)
