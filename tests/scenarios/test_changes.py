"""Plans change in mid-month, several times, in advance and in arrears; each day is paid once."""

from __future__ import annotations

import pytest

from billing.core.changes import Act
from billing.core.lifecycle import SubscriptionStatus
from billing.models import BillingPeriod, Invoice, InvoiceLine
from plans.terms import Billed, ChangeCharge, Interval, Proration
from tests.world import World, instant

CARRIED = "Credit carried over"
pytestmark = pytest.mark.django_db


def test_an_upgrade_in_advance_is_charged_at_once_and_credits_what_is_unused(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    for name, amount in (("Basic", "10.00"), ("Pro", "30.00"), ("Max", "60.00")):
        world.sells(name, amount)
    world.subscribes(alice, "Basic")
    world.at("2026-04-16").changes(alice, plan="Pro")
    world.at("2026-04-26 12:00").changes(alice, plan="Max")
    world.at("2026-05-01")

    assert world.bills(alice) == [
        ("04-01", [("Basic", "10.00")], "10.00"),
        ("04-16", [("Unused Basic", "-5.00"), ("Pro", "15.00")], "10.00"),
        ("04-26", [("Unused Pro", "-5.00"), ("Max", "10.00")], "5.00"),
        ("05-01", [("Max", "60.00")], "60.00"),
    ]
    assert set(Invoice.objects.values_list("status", flat=True)) == {"PAID"}
    credit = InvoiceLine.objects.get(description="Unused Pro")
    assert credit.explanation == "15.00 paid × 5/15 days unused = 5.00 USD"


def test_a_downgrade_in_advance_is_carried_to_the_next_invoice(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "10.00")
    world.sells("Max", "60.00")
    world.subscribes(alice, "Max")
    world.at("2026-04-16").changes(alice, plan="Basic")
    world.at("2026-07-01")

    assert world.bills(alice)[1:] == [
        (
            "04-16",
            [("Unused Max", "-30.00"), ("Basic", "5.00"), (CARRIED, "25.00")],
            "0.00",
        ),
        (
            "05-01",
            [
                (CARRIED, "-25.00"),
                ("Basic", "10.00"),
                (CARRIED, "15.00"),
            ],
            "0.00",
        ),
        (
            "06-01",
            [
                (CARRIED, "-15.00"),
                ("Basic", "10.00"),
                (CARRIED, "5.00"),
            ],
            "0.00",
        ),
        ("07-01", [(CARRIED, "-5.00"), ("Basic", "10.00")], "5.00"),
    ]


def test_in_arrears_both_plans_are_on_the_next_invoice_with_their_allowances(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.subscribes(alice, "Basic", trial_days=0)
    world.at("2026-04-11").uses(alice, 100)
    world.at("2026-04-16").changes(alice, plan="Gold")
    world.at("2026-04-20").uses(alice, 100)
    assert not Invoice.objects.exists()
    world.at("2026-05-01")

    # Seed 003: the day of the change is the old plan's; 29 = 15 + 14 of 30 days.
    assert world.invoice(alice) == [
        ("Basic", pytest.approx(25), "50.00 × 15/30 days = 25.00 USD"),
        (
            "Basic: api_calls",
            pytest.approx(112.50),
            "100 used − 50 included (100 × 15/30 days) = 50 × 2.25 = 112.50 USD",
        ),
        ("Gold", pytest.approx(280), "600.00 × 14/30 days = 280.00 USD"),
        ("Gold: api_calls", 0, "100 used of 700 included (1500 × 14/30 days)"),
    ]


def test_seats_come_and_go_without_breaking_the_allowance(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Team", "10.00", quantity_unit="seat", billed=Billed.IN_ARREARS)
    world.subscribes(alice, "Team", quantity=5)
    world.at("2026-04-11").changes(alice, quantity=8)
    world.at("2026-04-21").changes(alice, quantity=2)
    world.at("2026-05-01")

    assert world.bills(alice) == [
        ("05-01", [("Team", "16.67"), ("Team", "26.67"), ("Team", "6.67")], "50.01"),
    ]
    assert BillingPeriod.objects.filter(closed_at__isnull=False).count() == 1


def test_a_month_becomes_a_year_on_the_same_anniversary(world: World) -> None:
    """Lago's case: 1/31 of the month is credited, 275/366 of the year is charged."""
    alice = world.at("2023-06-29").customer("alice")
    world.adds_card(alice)
    world.sells("Monthly", "10.00")
    world.sells("Yearly", "120.00", interval=Interval.YEAR)
    world.subscribes(alice, "Monthly")
    world.at("2023-09-28").changes(alice, plan="Yearly")

    assert world.bills(alice)[-1] == (
        "09-28",
        [("Unused Monthly", "-0.32"), ("Yearly", "90.16")],
        "89.84",
    )
    assert world.period(alice) == ("2023-09-28 00:00", "2024-06-29 00:00")


def test_a_reset_begins_a_whole_period(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "30.00")
    world.sells("Pro", "60.00")
    world.subscribes(alice, "Basic")
    world.at("2026-04-11").changes(alice, plan="Pro", charge=ChangeCharge.RESET)

    assert world.bills(alice)[-1] == (
        "04-11",
        [("Unused Basic", "-20.00"), ("Pro", "60.00")],
        "40.00",
    )
    assert world.period(alice) == ("2026-04-11 00:00", "2026-05-11 00:00")


def test_full_charge_credits_nothing_and_none_waits_for_the_next_period(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    bob = world.customer("bob")
    world.sells("Basic", "30.00")
    world.sells("Pro", "60.00")
    for person in (alice, bob):
        world.adds_card(person)
        world.subscribes(person, "Basic")
    world.at("2026-04-11").changes(alice, plan="Pro", charge=ChangeCharge.FULL)
    world.changes(bob, plan="Pro", charge=ChangeCharge.NONE)
    world.at("2026-05-01")

    assert world.bills(alice)[1:] == [
        ("04-11", [("Pro", "60.00")], "60.00"),
        ("05-01", [("Pro", "60.00")], "60.00"),
    ]
    assert world.bills(bob)[1:] == [("05-01", [("Pro", "60.00")], "60.00")]


def test_a_pause_credits_the_rest_and_a_resume_charges_it_again(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "30.00")
    world.subscribes(alice, "Basic")
    world.at("2026-04-11").changes(alice, act=Act.PAUSE)
    assert world.subscription(alice).status == SubscriptionStatus.PAUSED
    assert world.subscription(alice).due_at is None
    world.at("2026-06-21").changes(alice, act=Act.RESUME)
    world.at("2026-07-01")

    assert world.bills(alice)[1:] == [
        ("06-21", [("Unused Basic", "-20.00"), ("Basic", "10.00"), (CARRIED, "10.00")], "0.00"),
        ("07-01", [(CARRIED, "-10.00"), ("Basic", "30.00")], "20.00"),
    ]


def test_who_cancels_at_the_end_of_the_period_gets_a_last_invoice(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.subscribes(alice, "Basic", trial_days=0)
    world.at("2026-04-11").cancels(alice)
    assert world.subscription(alice).cancel_at == instant("2026-05-01")
    world.at("2026-04-20").uses(alice, 200)
    world.at("2026-05-02")

    subscription = world.subscription(alice)
    assert subscription.status == SubscriptionStatus.CANCELED
    assert subscription.canceled_at == instant("2026-05-01")
    assert Invoice.objects.get().total.minor == 48_33 + 232_50


def test_the_billing_day_moves_with_a_short_period_up_to_it(world: World) -> None:
    """Kill Bill's case: 14 of 30 days from 1 to 15 May."""
    alice = world.at("2016-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "249.95")
    world.subscribes(alice, "Basic")
    world.at("2016-04-10").changes(alice, when="period_end", billing_anchor=instant("2016-04-15"))
    world.at("2016-06-16")

    assert world.bills(alice)[1:] == [
        ("05-01", [("Basic", "116.64")], "116.64"),
        ("05-15", [("Basic", "249.95")], "249.95"),
        ("06-15", [("Basic", "249.95")], "249.95"),
    ]


def test_who_changes_in_the_instant_of_the_start_pays_the_new_plan_only(world: World) -> None:
    """Kill Bill's case: the year is given back whole, and pays the months to come."""
    alice = world.at("2012-05-01").customer("alice")
    world.adds_card(alice)
    world.sells("Yearly", "2399.95", interval=Interval.YEAR)
    world.sells("Monthly", "249.95")
    world.subscribes(alice, "Yearly")
    world.changes(alice, plan="Monthly")
    world.at("2012-06-01")

    assert world.bills(alice)[1:] == [
        (
            "05-01",
            [
                ("Unused Yearly", "-2399.95"),
                ("Monthly", "249.95"),
                (CARRIED, "2150.00"),
            ],
            "0.00",
        ),
        (
            "06-01",
            [
                (CARRIED, "-2150.00"),
                ("Monthly", "249.95"),
                (CARRIED, "1900.05"),
            ],
            "0.00",
        ),
    ]
    assert BillingPeriod.objects.filter(customer=alice).count() == 2


def test_a_pause_that_gives_nothing_back_is_not_charged_again(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "30.00", proration=Proration.NONE)
    world.subscribes(alice, "Basic")
    world.at("2026-04-11").changes(alice, act=Act.PAUSE)
    world.at("2026-04-21").changes(alice, act=Act.RESUME)
    world.at("2026-05-01")

    assert [total for _, _, total in world.bills(alice)] == ["30.00", "30.00"]


def test_the_day_of_a_change_is_charged_once_between_plans_that_count_differently(
    world: World,
) -> None:
    world.at("2026-04-01")
    world.sells("Counts", "30.00")
    world.sells("Does not", "30.00", first_day_counts=False)
    pairs = (("alice", "Counts", "Does not"), ("bob", "Does not", "Counts"))
    people = {name: world.customer(name) for name, _, _ in pairs}
    for name, old, _ in pairs:
        world.adds_card(people[name])
        world.subscribes(people[name], old)
    for name, _, new in pairs:
        person = people[name]
        world.at("2026-04-16" if name == "alice" else "2026-05-16").changes(person, plan=new)
        assert world.newest_invoice(person).total.minor == 0


def test_what_was_paid_in_full_for_a_rest_is_given_back_by_the_days_of_it(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    for name, amount in (("Basic", "30.00"), ("Pro", "60.00"), ("Max", "90.00")):
        world.sells(name, amount)
    world.subscribes(alice, "Basic")
    world.at("2026-04-11").changes(alice, plan="Pro", charge=ChangeCharge.FULL)
    world.at("2026-04-21").changes(alice, plan="Max")

    assert world.bills(alice)[-1] == ("04-21", [("Unused Pro", "-30.00"), ("Max", "30.00")], "0.00")
