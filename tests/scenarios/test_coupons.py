"""Coupons over months: once, for some periods, for ever; over changes; the last one taken once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.core.errors import ConflictError
from billing.models import Redemption, Subscription
from billing.services import subscriptions
from billing.services.subscriptions import Order
from plans.models import Coupon
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db


def coupon(world: World, code: str, **fields: Any) -> Coupon:
    return Coupon.objects.create(code=code, created_at=world.now, **fields)


def nets(world: World, name: str) -> list[str]:
    customer = Subscription.objects.get(customer__organization_id=name).customer
    return [total for _, _, total in world.bills(customer)]


def test_a_coupon_holds_for_its_periods_and_no_longer(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Basic", "100.00")
    kinds: dict[str, dict[str, Any]] = {
        "ONCE": {"duration": "ONCE"},
        "TWICE": {"duration": "REPEATING", "periods": 2},
        "ALWAYS": {"duration": "FOREVER"},
    }
    for code, fields in kinds.items():
        coupon(world, code, percent_off=Decimal(25), **fields)
        customer = world.customer(code.lower())
        world.adds_card(customer)
        world.subscribes(customer, "Basic", coupon=code)

    world.at("2026-06-15")

    assert nets(world, "once") == ["75.00", "100.00", "100.00"]
    assert nets(world, "twice") == ["75.00", "75.00", "100.00"]
    assert nets(world, "always") == ["75.00", "75.00", "75.00"]


def test_a_credit_is_what_was_paid_and_a_new_charge_has_the_coupons_of_then(world: World) -> None:
    """Polar's case: 25 % off was paid, 50 % off is charged."""
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "100.00")
    world.sells("Pro", "1000.00")
    coupon(world, "QUARTER", percent_off=Decimal(25), duration="ONCE")
    half = coupon(world, "HALF", percent_off=Decimal(50), duration="FOREVER")
    world.subscribes(alice, "Basic", coupon="QUARTER")
    Redemption.objects.update(covers_until=instant("2026-04-16"))
    world.at("2026-04-16").changes(alice, plan="Pro", coupon=half)

    assert world.bills(alice)[-1] == (
        "04-16",
        [("Unused Basic", "-37.50"), ("Pro", "250.00")],
        "212.50",
    )


def test_a_change_in_a_covered_period_is_discounted_and_uses_nothing_up(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "100.00")
    world.sells("Pro", "200.00")
    coupon(world, "TWENTY", amount_off=Decimal(20), currency="USD", duration="ONCE")
    world.subscribes(alice, "Basic", coupon="TWENTY")
    world.at("2026-04-16").changes(alice, plan="Pro")
    world.at("2026-05-01")

    assert world.bills(alice) == [
        ("04-01", [("Basic", "80.00")], "80.00"),
        ("04-16", [("Unused Basic", "-40.00"), ("Pro", "90.00")], "50.00"),
        ("05-01", [("Pro", "200.00")], "200.00"),
    ]


def test_coupons_are_taken_off_in_the_order_they_came_and_spread_to_the_cent(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    coupon(world, "TEN", amount_off=Decimal(10), currency="USD", duration="FOREVER")
    third = coupon(world, "THIRD", percent_off=Decimal("33.333"), duration="FOREVER")
    world.subscribes(alice, "Basic", trial_days=0, coupon="ten")
    world.changes(alice, coupon=third)
    world.uses(alice, 150)
    world.at("2026-05-01")

    invoice = world.newest_invoice(alice)
    # 48.33 + 120.00 (53.33… above 96.66… at 2.25); less 10.00, then less 33.333 % of the rest.
    assert (invoice.subtotal.minor, invoice.discount.minor) == (168_33, 10_00 + 52_78)
    assert sum(line.discount.minor for line in invoice.lines.all()) == invoice.discount.minor


def test_a_coupon_for_one_plan_leaves_the_other_alone(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    basic, _ = world.sells("Basic", "100.00"), world.sells("Pro", "200.00")
    coupon(world, "BASIC", percent_off=Decimal(50), duration="FOREVER", plan_ids=[basic.pk])
    world.subscribes(alice, "Basic", coupon="BASIC")
    world.at("2026-04-16").changes(alice, plan="Pro")

    assert [total for _, _, total in world.bills(alice)] == ["50.00", "75.00"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"expires_at": instant("2026-03-31")}, "coupon_expired"),
        ({"retired_at": instant("2026-03-31")}, "unknown_coupon"),
        ({"max_redemptions": 0}, "coupon_used_up"),
        ({"percent_off": None, "amount_off": 5, "currency": "EUR"}, "currency_mismatch"),
        ({"plan_ids": ["0198d5a2-0000-7000-8000-000000000001"]}, "coupon_for_other_plans"),
    ],
)
def test_what_cannot_be_redeemed_starts_nothing(
    world: World, fields: dict[str, Any], code: str
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.sells("Basic", "100.00")
    coupon(world, "C", **{"percent_off": Decimal(5), **fields})

    with pytest.raises(ConflictError) as refused:
        world.subscribes(alice, "Basic", coupon="C")

    assert refused.value.code == code
    assert not Subscription.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_redeem_the_last_one_at_once(world: World) -> None:
    world.at("2026-04-01")
    plan = world.sells("Basic", "100.00")
    coupon(world, "LAST", percent_off=Decimal(5), max_redemptions=2)
    people = [world.customer(f"customer-{n}") for n in range(6)]
    now = world.now

    def redeem(n: int) -> Subscription:
        order = Order(coupon="LAST")
        return subscriptions.start(people[n].pk, plan, by="test", now=now, order=order)

    outcomes = at_once(*(lambda n=n: redeem(n) for n in range(6)))

    assert sum(isinstance(outcome, Subscription) for outcome in outcomes) == 2
    refusals = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
    assert [refusal.code for refusal in refusals] == ["coupon_used_up"] * 4
    assert Coupon.objects.get().redemptions == Redemption.objects.count() == 2
