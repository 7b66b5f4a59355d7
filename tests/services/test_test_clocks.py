from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Event
from time import sleep
from uuid import uuid4

import pytest

from billing.core.changes import Act
from billing.core.errors import ConflictError, InvalidError, NotFoundError
from billing.gateways.base import Charge, ChargeRequest
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import Invoice, PaymentAttempt
from billing.services import (
    locks,
    payment_methods,
    payments,
    schedule,
    subscriptions,
    test_clocks,
)
from billing.services.schedule import Wish
from customers.models import Customer
from plans.terms import Billed
from tests import builders
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_long_advance_equals_many_short_ones(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.adds_card(alice, "tok_insufficient_funds")
    other = test_clocks.create(now=instant("2026-03-28 09:00"))
    bob = builders.make_customer("bob", now=other.now, test_clock=other)
    world.subscribes(bob, "Premium")
    world.adds_card(bob, "tok_insufficient_funds")

    world.at("2026-07-15")
    day = other.now
    while day < instant("2026-07-15"):
        day = min(day + timedelta(hours=31), instant("2026-07-15"))
        test_clocks.advance(other.pk, to=day)

    def story(customer: Customer) -> list[tuple[object, ...]]:
        attempts = PaymentAttempt.objects.filter(invoice__customer=customer)
        return list(
            attempts.order_by("created_at").values_list(
                "created_at", "amount_minor", "status", "invoice__issued_at"
            )
        )

    assert story(alice) == story(bob)
    assert len(story(alice)) == 14


def test_advancing_again_is_the_same_as_once(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.adds_card(alice)
    world.at("2026-05-01").at("2026-05-01").at("2026-05-01")
    assert Invoice.objects.count() == 1


def test_a_clock_does_not_go_back(world: World) -> None:
    world.at("2026-05-01")
    with pytest.raises(InvalidError):
        world.at("2026-04-30")
    with pytest.raises(NotFoundError):
        test_clocks.advance(uuid4(), to=world.now)


def test_a_clock_is_advanced_by_one_at_a_time(world: World) -> None:
    clock = world.at("2026-05-01").clock

    def while_held() -> None:
        with locks.alone("test_clock", clock.pk):
            outcome = at_once(lambda: test_clocks.advance(clock.pk, to=instant("2026-06-01")))[0]
            assert isinstance(outcome, ConflictError)

    while_held()
    world.at("2026-06-01")


def test_a_customer_gets_a_clock_and_leaves_it_again(world: World) -> None:
    carol = builders.make_customer("carol", now=instant("2026-04-01"))
    clock = test_clocks.give(carol.pk, now=instant("2026-04-01"))
    assert test_clocks.give(carol.pk, now=instant("2026-04-02")) == clock
    test_clocks.advance(clock.pk, to=instant("2026-06-01"))

    with pytest.raises(ConflictError):
        test_clocks.release(carol.pk, now=instant("2026-05-01"))
    test_clocks.release(carol.pk, now=instant("2026-06-01"))

    carol.refresh_from_db()
    assert carol.test_clock is None


def test_an_advance_waits_for_a_charge_that_a_worker_is_making(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    attempt = world.charges(world.drafts(alice, "25.00"))
    clock, in_the_call = world.clock, Event()
    charge = SandboxGateway.charge

    def slow(self: SandboxGateway, request: ChargeRequest) -> Charge:
        in_the_call.set()
        sleep(0.3)
        return charge(self, request)

    def advance() -> None:
        in_the_call.wait()
        test_clocks.advance(clock.pk, to=instant("2026-04-02"))
        assert PaymentAttempt.objects.get().status == "SUCCEEDED"

    monkeypatch.setattr(SandboxGateway, "charge", slow)
    outcomes = at_once(lambda: payments.collect(attempt.pk, now=clock.now), advance)

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]


def test_one_step_or_many_give_the_same_books(world: World) -> None:
    """A year of changes, in one advance for the one and in steps of 73 hours for the other."""
    start, end = instant("2026-01-31 10:00"), instant("2027-01-31 10:00")
    world.at("2026-01-31 10:00")
    plans = [
        world.sells("Team", "10.00", quantity_unit="seat"),
        world.sells("Big", "19.99", quantity_unit="seat", billed=Billed.IN_ARREARS),
    ]
    told = []
    for name, step in (("at once", end - start), ("by and by", timedelta(hours=73))):
        clock = test_clocks.create(now=start)
        customer = builders.make_customer(name, now=start, test_clock=clock)
        payment_methods.add(
            customer, token="tok_ok", now=start, gateway=builders.sandbox(), is_default=True
        )
        row = subscriptions.start(customer.pk, plans[0], by="test", now=start)
        for n, wish in enumerate(
            [
                Wish(quantity=3),
                Wish(plan_version=plans[1].current),
                Wish(quantity=2),
                Wish(act=Act.PAUSE),
            ],
            start=1,
        ):
            when = start + timedelta(days=40 * n, hours=5 * n)
            schedule.change(row.pk, replace(wish, when=when), by="test", now=start)
        moment = start
        while moment < end:
            moment = min(moment + step, end)
            test_clocks.advance(clock.pk, to=moment)
        told.append(world.bills(customer))

    assert told[0] == told[1]
    assert len(told[0]) > 5


def test_many_clocks_are_advanced_side_by_side(world: World) -> None:
    start, end = instant("2026-04-01"), instant("2026-07-01")
    world.at("2026-04-01")
    plan = world.sells("Basic", "30.00")
    clocks = []
    for n in range(16):
        clock = test_clocks.create(now=start)
        customer = builders.make_customer(f"customer-{n}", now=start, test_clock=clock)
        payment_methods.add(
            customer, token="tok_ok", now=start, gateway=builders.sandbox(), is_default=True
        )
        subscriptions.start(customer.pk, plan, by="test", now=start)
        clocks.append(clock.pk)

    def advance(worker: int) -> None:
        for clock_id in clocks[worker::4]:
            test_clocks.advance(clock_id, to=end)

    outcomes = at_once(*(lambda worker=worker: advance(worker) for worker in range(4)))

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert Invoice.objects.filter(status="PAID").count() == 4 * len(clocks)
