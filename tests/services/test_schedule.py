"""Scheduled changes: what contradicts is refused, what fails is kept, and the rest goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.core.changes import Act
from billing.core.errors import ConflictError, InvalidError, NotFoundError
from billing.core.lifecycle import SubscriptionStatus
from billing.models import CreditNote, Invoice, JournalEntry, ScheduledChange, UsageEvent
from billing.queries import agreements
from billing.services import schedule
from billing.services.schedule import ConflictingChangesError, Wish
from customers.models import Customer
from plans import services as plan_services
from plans.terms import ChangeCharge, ChangePolicy, ChangeTime, Interval
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(world: World) -> Customer:
    """On five seats of Team since 1 April, billed in advance by the month."""
    world.at("2026-04-01")
    world.sells("Team", "10.00", quantity_unit="seat")
    world.sells("Big", "8.00", quantity_unit="seat", minimum_quantity=5)
    world.sells("Yearly", "90.00", quantity_unit="seat", interval=Interval.YEAR)
    world.sells("Euros", "10.00", quantity_unit="seat", currency="EUR")
    customer = world.customer("alice")
    world.adds_card(customer)
    world.subscribes(customer, "Team", quantity=5)
    return customer


def codes(refused: ConflictingChangesError) -> list[str]:
    return [conflict.code for conflict, _ in refused.conflicts]


def wish(text: str) -> dict[str, Any]:
    """`6 seats, 06-02`; `Yearly, period_end`; `cancel, 06-01`; `reset Team, 04-20`."""
    what, _, when = text.partition(", ")
    time = {"when": f"2026-{when}" if when[0].isdigit() else when}
    words = what.split()
    if words[-1] == "seats":
        return {"quantity": int(words[0]), **time}
    if words[0].upper() in Act.__members__:
        return {"act": Act(words[0].upper()), **time}
    charge = {"charge": ChangeCharge.RESET} if words[0] == "reset" else {}
    return {"plan": words[-1], **charge, **time}


@pytest.mark.parametrize(
    ("pending", "asked", "expected"),
    [
        ("cancel, 06-01", "6 seats, 06-02", "after_cancellation"),
        ("6 seats, 06-02", "cancel, 06-01", "after_cancellation"),
        ("6 seats, 06-02", "Yearly, 06-02", "same_instant"),
        ("Big, 06-02", "4 seats, 05-20", "quantity_too_low"),
        ("Big, 06-02", "4 seats, 06-20", "quantity_too_low"),
        ("", "Euros, 06-02", "currency_mismatch"),
        ("", "Team, 06-02", "nothing_changes"),
        ("", "resume, 06-02", "not_paused"),
        ("pause, 06-02", "pause, 06-03", "already_paused"),
        ("7 seats, period_end", "reset Team, 04-20", "not_a_period_end"),
        ("7 seats, period_end", "Yearly, 04-20", "not_a_period_end"),
        ("7 seats, 06-02; 8 seats, 07-02", "cancel, now", "after_cancellation after_cancellation"),
    ],
)
def test_contradictions_are_refused_with_all_of_them(
    alice: Customer, pending: str, asked: str, expected: str, *, world: World
) -> None:
    texts = [text for text in pending.split("; ") if text]
    for text in texts:
        world.changes(alice, **wish(text))

    with pytest.raises(ConflictingChangesError) as refused:
        world.changes(alice, **wish(asked))

    assert codes(refused.value) == expected.split()
    assert ScheduledChange.objects.count() == len(texts)
    assert Invoice.objects.count() == 1


def test_the_timeline_says_what_comes_of_it(world: World, alice: Customer) -> None:
    world.changes(alice, act=Act.CANCEL, when="2026-08-10")
    world.changes(alice, quantity=3, when="2026-05-11")
    world.changes(alice, plan="Yearly", when="period_end")

    found = agreements.timeline(world.subscription(alice))

    told = [
        (f"{step.change.at:%m-%d}", step.after.plan.name, step.after.quantity, step.after.status)
        for step, _ in found
    ]
    assert told == [
        ("05-01", "Yearly", 5, SubscriptionStatus.ACTIVE),
        ("05-11", "Yearly", 3, SubscriptionStatus.ACTIVE),
        ("08-10", "Yearly", 3, SubscriptionStatus.CANCELED),
    ]
    assert world.subscription(alice).cancel_at == instant("2026-08-10")


def test_everything_happens_at_its_own_instant_however_late_the_run(
    world: World, alice: Customer
) -> None:
    world.changes(alice, quantity=10, when="2026-04-16")
    world.changes(alice, plan="Big", when="period_end")
    world.changes(alice, act=Act.CANCEL, when="2026-05-16")
    world.at("2026-06-20")

    bills = [(lines, total) for _, lines, total in world.bills(alice)]
    assert bills == [
        ([("Team", "50.00")], "50.00"),
        ([("Unused Team", "-25.00"), ("Team", "50.00")], "25.00"),
        ([("Big", "80.00")], "80.00"),
    ]
    assert world.subscription(alice).status == SubscriptionStatus.CANCELED
    assert not agreements.standing(world.subscription(alice)).waiting
    assert CreditNote.objects.get().total.minor == 41_29


def test_what_fails_when_due_is_kept_and_holds_up_nothing(world: World, alice: Customer) -> None:
    change = world.changes(alice, plan="Big", when="period_end")
    world.changes(alice, quantity=9, when="2026-05-10")
    plan_services.retire(world.plans["Big"].pk, by="test", now=world.now)
    world.at("2026-05-20")

    change.refresh_from_db()
    assert (change.status, change.reason) == ("FAILED", "The plan is not on sale.")
    assert world.subscription(alice).quantity == 9
    assert [total for _, _, total in world.bills(alice)] == ["50.00", "50.00", "28.39"]
    assert JournalEntry.objects.filter(kind="CHANGE_FAILED").count() == 1

    with pytest.raises(ConflictingChangesError):
        schedule.retry(change.subscription_id, change.pk, by="test", now=world.now)
    world.plans["Big"].refresh_from_db()
    world.plans["Big"].retired_at = None
    world.plans["Big"].save()
    schedule.retry(change.subscription_id, change.pk, by="test", now=world.now)

    change.refresh_from_db()
    assert change.status == "APPLIED"
    assert world.subscription(alice).plan_name == "Big"


def test_a_failed_change_is_withdrawn_and_a_settled_one_is_not(
    world: World, alice: Customer
) -> None:
    change = world.changes(alice, plan="Big", when="period_end")
    plan_services.retire(world.plans["Big"].pk, by="test", now=world.now)
    world.at("2026-05-20")

    schedule.withdraw(change.subscription_id, change.pk, by="test", now=world.now)
    change.refresh_from_db()
    assert (change.status, change.settled_by) == ("WITHDRAWN", "test")
    with pytest.raises(ConflictError):
        schedule.withdraw(change.subscription_id, change.pk, by="test", now=world.now)
    with pytest.raises(ConflictError):
        schedule.retry(change.subscription_id, change.pk, by="test", now=world.now)
    with pytest.raises(NotFoundError):
        schedule.withdraw(change.subscription_id, alice.pk, by="test", now=world.now)


def test_a_withdrawn_split_gives_the_period_its_usage_back(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.subscribes(alice, "Basic", trial_days=0)
    change = world.changes(alice, plan="Gold", when="2026-04-16")
    clock = world.clock
    clock.now = instant("2026-04-15 23:58")
    clock.save()
    world.uses(alice, 1)
    assert UsageEvent.objects.filter(period=None).count() == 0
    clock.now = instant("2026-04-16 00:01")
    clock.save()
    world.uses(alice, 1)
    assert UsageEvent.objects.filter(period=None).count() == 1

    schedule.withdraw(change.subscription_id, change.pk, by="test", now=world.now)

    assert UsageEvent.objects.filter(period=None).count() == 0
    assert world.subscription(alice).due_at == instant("2026-05-01")


def test_one_cannot_be_withdrawn_that_a_later_one_needs(world: World, alice: Customer) -> None:
    more = world.changes(alice, quantity=5, plan="Yearly", when="2026-04-20")
    world.changes(alice, plan="Team", when="2026-05-20")
    with pytest.raises(ConflictingChangesError) as refused:
        schedule.withdraw(more.subscription_id, more.pk, by="test", now=world.now)
    assert codes(refused.value) == ["nothing_changes"]


def test_the_past_cannot_be_changed(world: World, alice: Customer) -> None:
    with pytest.raises(InvalidError) as refused:
        world.at("2026-04-20").changes(alice, quantity=6, when="2026-04-19")
    assert refused.value.code == "in_the_past"


def test_upgrades_at_once_and_downgrades_later_are_a_policy_of_the_plan(world: World) -> None:
    world.at("2026-04-01")
    later = ChangePolicy(ChangeTime.PERIOD_END)
    world.sells("Basic", "10.00")
    world.sells("Pro", "20.00")
    world.sells("Slow", "20.00", upgrade=later, downgrade=ChangePolicy(charge=ChangeCharge.RESET))

    def due(of: str, to: str) -> tuple[str, str]:
        person = world.customer(f"{of}-{to}")
        world.adds_card(person)
        subscription = world.subscribes(person, of)
        wish = Wish(plan_version=world._version(to))
        change = schedule.change(subscription.pk, wish, by="test", now=world.now)
        return f"{change.due_at:%m-%d}", change.status

    world.sells("Max", "90.00")
    assert due("Basic", "Pro") == ("04-01", "APPLIED")
    assert due("Pro", "Basic") == ("05-01", "PENDING")
    assert due("Slow", "Max") == ("05-01", "PENDING")
    assert due("Slow", "Basic") == ("04-01", "APPLIED")


def test_a_change_brings_billing_up_to_date_first(world: World, alice: Customer) -> None:
    clock = world.clock
    clock.now = instant("2026-06-16")  # nothing has run since April
    clock.save()

    world.changes(alice, quantity=10)

    assert [(lines, total) for _, lines, total in world.bills(alice)] == [
        ([("Team", "50.00")], "50.00"),
        ([("Team", "50.00")], "50.00"),
        ([("Team", "50.00")], "50.00"),
        ([("Unused Team", "-25.00"), ("Team", "50.00")], "25.00"),
    ]


@pytest.mark.django_db(transaction=True)
def test_fifty_changes_at_once_are_all_told_apart(world: World, alice: Customer) -> None:
    subscription, now = world.subscription(alice), world.now + timedelta(days=3)
    clock = world.clock
    clock.now = now
    clock.save()

    def change(quantity: int) -> ScheduledChange:
        wish = Wish(quantity=quantity, when=now + timedelta(days=1))
        return schedule.change(subscription.pk, wish, by="test", now=now)

    outcomes = at_once(*(lambda n=n: change(n) for n in range(10, 30)))

    done = [outcome for outcome in outcomes if isinstance(outcome, ScheduledChange)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, ConflictingChangesError)]
    assert (len(done), len(refused)) == (1, 19)
    assert {code for error in refused for code in codes(error)} == {"same_instant"}


def test_a_trial_is_ended_early_and_extended(world: World) -> None:
    alice = world.at("2026-04-01 09:00").signs_up("alice", "Premium")
    bob = world.signs_up("bob", "Premium")
    for person in (alice, bob):
        world.adds_card(person)
    world.at("2026-04-05 12:00")
    schedule.set_trial_end(world.subscription(alice).pk, None, by="test", now=world.now)
    later = instant("2026-04-25 09:00")
    schedule.set_trial_end(world.subscription(bob).pk, later, by="test", now=world.now)
    world.at("2026-05-01")

    assert world.subscription(alice).billing_anchor == instant("2026-04-05 12:00")
    assert world.subscription(bob).billing_anchor == later
    assert [total for _, _, total in world.bills(alice)] == ["150.00"]
    assert [total for _, _, total in world.bills(bob)] == ["30.00"]
    with pytest.raises(ConflictError):
        schedule.set_trial_end(world.subscription(bob).pk, None, by="test", now=world.now)


def test_a_change_in_the_trial_is_a_change_of_what_comes_after_it(world: World) -> None:
    alice = world.at("2026-04-01 09:00").signs_up("alice", "Premium")
    world.adds_card(alice)
    world.at("2026-04-05").uses(alice, 1000)
    world.changes(alice, plan="Gold")
    world.changes(alice, plan="Basic", when="period_end")
    assert world.subscription(alice).plan_name == "Gold"
    world.at("2026-05-01")

    assert [line[0] for line in world.invoice(alice)] == ["Basic", "Basic: api_calls"]
    assert world.newest_invoice(alice).total.minor == 25_00  # 15 of 30 days


def test_what_is_due_at_the_end_of_a_trial_moves_with_it(world: World) -> None:
    alice = world.at("2026-04-01 09:00").signs_up("alice", "Premium")
    world.adds_card(alice)
    world.cancels(alice)
    later = instant("2026-04-25 09:00")
    schedule.set_trial_end(world.subscription(alice).pk, later, by="test", now=world.now)
    world.at("2026-04-24")
    assert world.subscription(alice).status == SubscriptionStatus.TRIALING
    world.at("2026-04-26")

    assert world.subscription(alice).canceled_at == later
    assert not Invoice.objects.exists()


def test_a_start_to_come_is_not_lost_over_a_change(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Team", "10.00", quantity_unit="seat")
    world.subscribes(alice, "Team", starts_at=instant("2026-04-10"))
    change = world.changes(alice, quantity=2, when="2026-04-20")
    assert world.subscription(alice).due_at == instant("2026-04-10")
    schedule.withdraw(change.subscription_id, change.pk, by="test", now=world.now)
    world.at("2026-04-11")

    assert world.bills(alice) == [("04-10", [("Team", "10.00")], "10.00")]


def test_a_change_in_the_instant_of_the_start_starts_as_well(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Team", "10.00", quantity_unit="seat")
    world.subscribes(alice, "Team", starts_at=instant("2026-04-10"))
    world.changes(alice, quantity=3, when="2026-04-10")
    world.at("2026-04-11")

    assert world.bills(alice) == [("04-10", [("Team", "30.00")], "30.00")]


def test_the_last_look_outlives_a_withdrawn_failure(world: World, alice: Customer) -> None:
    failing = world.changes(alice, plan="Big", when="2026-04-10")
    plan_services.retire(world.plans["Big"].pk, by="test", now=world.now)
    world.at("2026-04-12").cancels(alice, when="now")
    due_at = world.subscription(alice).due_at
    assert due_at is not None

    schedule.withdraw(failing.subscription_id, failing.pk, by="test", now=world.now)

    assert world.subscription(alice).due_at == due_at


def test_who_has_a_change_that_cannot_be_any_more_may_still_cancel(
    world: World, alice: Customer
) -> None:
    world.changes(alice, plan="Big", when="2026-06-10")
    world.changes(alice, plan="Yearly", when="2026-06-20")
    for name in ("Big", "Yearly"):
        plan_services.retire(world.plans[name].pk, by="test", now=world.now)

    for change in ScheduledChange.objects.all()[:1]:
        schedule.withdraw(change.subscription_id, change.pk, by="test", now=world.now)
    world.cancels(alice)
    world.at("2026-05-02")

    assert world.subscription(alice).status == SubscriptionStatus.CANCELED
