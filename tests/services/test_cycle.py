from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.core.lifecycle import SubscriptionStatus
from billing.models import (
    BillingPeriod,
    Invoice,
    InvoiceSeries,
    JournalEntry,
    PaymentAttempt,
    Subscription,
)
from billing.services import cycle, journal, locks, payment_methods, subscriptions
from billing.services.cycle import Chunk
from customers.models import Customer
from plans.models import PlanVersion
from tests import builders
from tests.terms import seed_terms
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db


def many_active(world: World, count: int) -> list[Customer]:
    """Customers on Premium with a card, whose April is over and not yet invoiced."""
    world.at("2026-04-05 12:00")
    plan = builders.make_plan("No trial", seed_terms("180", "400", "1.80", trial_days=0))
    people = [world.customer(f"customer-{n:03}") for n in range(count)]
    for person in people:
        subscriptions.start(person.pk, plan, by="test", now=world.now)
        world.adds_card(person)
    clock = world.clock
    clock.now = instant("2026-05-01 00:01")
    clock.save()
    return people


def test_a_trial_without_a_card_ends_in_waiting(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 09:00")

    subscription = world.subscription(alice)
    assert subscription.status == SubscriptionStatus.INCOMPLETE
    assert subscription.due_at is None
    assert not Invoice.objects.exists()
    assert JournalEntry.objects.filter(kind="TRIAL_ENDED_WITHOUT_PAYMENT_METHOD").count() == 1


def test_a_card_during_the_trial_starts_the_cycle_when_the_trial_ends(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-02 12:00").adds_card(alice)
    assert world.subscription(alice).status == SubscriptionStatus.TRIALING

    world.at("2026-04-12 00:00")

    subscription = world.subscription(alice)
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert subscription.billing_anchor == instant("2026-04-11 09:00")
    assert world.period(alice) == ("2026-04-11 09:00", "2026-05-01 00:00")


def test_a_card_that_comes_before_a_late_run_counts_from_when_it_came(world: World) -> None:
    """The trial ended at nine, the card came at noon, the run only in the evening."""
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    clock = world.clock
    clock.now = instant("2026-04-11 12:00")
    clock.save()
    customer = Customer.objects.readable().get(pk=alice.pk)
    payment_methods.add(
        customer, token="tok_ok", now=clock.now, gateway=builders.sandbox(), is_default=True
    )

    cycle.run(now=instant("2026-04-11 20:00"), clock=clock)

    assert world.subscription(alice).billing_anchor == instant("2026-04-11 12:00")


def test_trial_days_are_never_billed(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.uses(alice, 5000)
    world.at("2026-04-02 12:00").adds_card(alice)
    world.at("2026-05-01 00:00")

    assert world.invoice(alice)[1][1] == 0
    assert Invoice.objects.get(customer=alice).total.minor == 114_00


def test_a_card_on_the_last_day_of_the_month_joins_the_next_one(world: World) -> None:
    alice = world.at("2026-04-16 09:00").signs_up("alice", "Premium")
    world.at("2026-04-30 18:00").adds_card(alice)

    assert world.period(alice) == ("2026-04-30 18:00", "2026-06-01 00:00")
    world.at("2026-05-01 00:00")
    assert not Invoice.objects.exists()
    world.at("2026-06-01 00:00")
    assert Invoice.objects.get().total.minor == 180_00


def test_running_twice_changes_nothing(world: World) -> None:
    many_active(world, 3)
    clock = world.clock

    first = cycle.run(now=clock.now, clock=clock)
    second = cycle.run(now=clock.now, clock=clock)

    assert [chunk.moved for chunk in first] == [3]
    assert second == []
    assert Invoice.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_four_runs_at_once_invoice_everybody_once(world: World) -> None:
    many_active(world, 24)
    clock = world.clock

    outcomes = at_once(*(lambda: cycle.run(now=clock.now, clock=clock, limit=5) for _ in range(4)))

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert Invoice.objects.count() == 24
    assert PaymentAttempt.objects.count() == 24
    assert InvoiceSeries.objects.get().next_number == 25


def test_a_chunk_of_many_costs_the_statements_of_one(world: World) -> None:
    many_active(world, 8)
    counts = []
    for limit in (1, 1, 5):  # the first opens accounts and a series
        with CaptureQueriesContext(connection) as captured:
            assert cycle.run_chunk(now=world.now, clock=world.clock, limit=limit).moved == limit
        counts.append(len(captured))

    assert counts[2] == counts[1]


def test_a_chunk_that_fails_leaves_nothing_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_active(world, 4)
    clock = world.clock

    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("the plug was pulled")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "post", fail)
        with pytest.raises(DatabaseError):
            cycle.run(now=clock.now, clock=clock)
    assert not Invoice.objects.exists()
    assert BillingPeriod.objects.filter(closed_at=None).count() == 4

    cycle.run(now=clock.now, clock=clock)

    assert Invoice.objects.count() == 4
    assert list(Invoice.objects.order_by("sequence").values_list("sequence", flat=True)) == [
        1,
        2,
        3,
        4,
    ]


def test_who_was_forgotten_for_months_gets_an_invoice_for_each(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)
    clock = world.clock
    clock.now = instant("2026-07-03 08:00")
    clock.save()

    cycle.run(now=clock.now, clock=clock)

    totals = Invoice.objects.order_by("sequence").values_list("total_minor", flat=True)
    assert list(totals) == [114_00, 180_00, 180_00]
    assert world.period(alice) == ("2026-07-01 00:00", "2026-08-01 00:00")


def test_customers_on_a_clock_are_left_alone_by_everybody_elses_run(world: World) -> None:
    many_active(world, 2)
    assert cycle.run(now=instant("2030-01-01")) == []


def test_real_time_customers_are_left_alone_by_a_clock(world: World) -> None:
    plan = builders.make_plan("No trial", seed_terms("180", "400", "1.80", trial_days=0))
    bob = builders.make_customer("bob", now=instant("2026-04-05"))
    payment_methods.add(bob, token="tok_ok", now=instant("2026-04-05"), gateway=builders.sandbox())
    subscriptions.start(bob.pk, plan, by="test", now=instant("2026-04-05"))
    world.at("2026-04-05").at("2027-01-01")

    assert not Invoice.objects.exists()
    assert cycle.run(now=instant("2026-05-01")) == [Chunk(1, attempts=[_only_attempt()])]


def _only_attempt() -> UUID:
    return PaymentAttempt.objects.get().pk


def test_the_clock_jumping_back_bills_nothing_again(world: World) -> None:
    many_active(world, 1)
    clock = world.clock
    cycle.run(now=clock.now, clock=clock)
    assert cycle.run(now=clock.now - timedelta(hours=1), clock=clock) == []
    assert Invoice.objects.count() == 1


def test_the_queries_of_a_chunk_do_not_grow_with_it(world: World) -> None:
    many_active(world, 12)
    clock = world.clock
    counts = []
    for limit in (2, 10):
        connection.queries_log.clear()
        connection.force_debug_cursor = True
        try:
            cycle.run_chunk(now=clock.now, clock=clock, limit=limit)
        finally:
            connection.force_debug_cursor = False
        counts.append(len(connection.queries_log))
    assert counts[1] <= counts[0]


def test_zero_is_paid_without_a_gateway(world: World) -> None:
    free = builders.make_plan("Free", seed_terms("0", "10", "0", trial_days=0))
    alice = world.at("2026-04-05").customer("alice")
    subscriptions.start(alice.pk, free, by="test", now=world.now)
    world.at("2026-05-01")

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.total_minor) == ("PAID", 0)
    assert not PaymentAttempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_live_subscription_each(world: World) -> None:
    alice = world.at("2026-04-05").signs_up("alice", "Premium")
    outcomes = at_once(
        *(lambda: world.subscribes(alice, "Gold") for _ in range(4)),
    )
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    assert Subscription.objects.count() == 1


def test_who_cannot_be_billed_holds_up_nobody_else(world: World) -> None:
    people = many_active(world, 3)
    for person in people[1:]:
        world.uses(person, 1, meter="api_calls")
    subscription = world.subscription(people[0])
    dear = builders.make_plan("Dear", seed_terms("900000000000000", "400", "1.80"))
    Subscription.objects.filter(pk=subscription.pk).update(plan_version=dear.current)
    clock = world.clock

    cycle.run(now=clock.now, clock=clock)

    assert Invoice.objects.count() == 2
    stalled = world.subscription(people[0])
    assert "2^53" in stalled.stalled_reason
    assert BillingPeriod.objects.filter(customer=people[0], closed_at=None).count() == 1

    Subscription.objects.filter(pk=subscription.pk).update(plan_version=subscription.plan_version)
    cycle.resume(subscription.pk, by="test", now=clock.now)
    cycle.run(now=clock.now, clock=clock)
    assert Invoice.objects.count() == 3
    assert world.subscription(people[0]).stalled_reason == ""


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_takes_what_the_first_has_not_claimed(world: World) -> None:
    many_active(world, 6)
    clock = world.clock

    def while_the_first_is_at_it() -> None:
        with transaction.atomic():
            claimed = locks.due_subscriptions(clock.now, clock, limit=4)
            assert len(claimed) == 4
            chunk = at_once(lambda: cycle.run_chunk(now=clock.now, clock=clock, limit=4))[0]
            assert isinstance(chunk, Chunk)
            assert chunk.moved == 2

    while_the_first_is_at_it()
    assert Invoice.objects.count() == 2


@pytest.mark.parametrize("terms", [{}, {"currency": "USD"}])
def test_terms_that_cannot_be_read_hold_up_nobody_else(world: World, terms: dict[str, str]) -> None:
    people = many_active(world, 3)
    clock = world.clock
    plan = builders.make_plan("Unreadable")
    version = PlanVersion.objects.create(plan=plan, number=2, terms=terms, created_at=world.now)
    Subscription.objects.filter(customer=people[0]).update(plan_version=version)

    cycle.run(now=clock.now, clock=clock)

    assert Invoice.objects.count() == 2
    assert world.subscription(people[0]).stalled_reason != ""
