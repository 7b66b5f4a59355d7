"""Where a period begins, ends, is cut and closed, and what is counted meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.db import transaction

from billing.models import BillingPeriod, UsageEvent, UsageTotal
from billing.models.subscription import PeriodKind
from billing.services import counting, cycle, locks, usage
from billing.services.usage import Receipt
from customers.models import Customer
from tests.services.metered import (
    adjusted,
    closed,
    counted,
    cut,
    extend,
    open_period,
    report,
    subscriber,
    values,
)
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db(transaction=True)

ONE_OF_EACH = [
    report("a", "tokens", "5"),
    report("b", "jobs"),
    report("c", "peak", "7"),
    report("d", "seats", "9"),
    report("e", "users", user="ann"),
    report("f", "users", user="ann", model="large"),
]


@pytest.fixture
def alice(world: World) -> Customer:
    """On a plan with a meter of every kind, since 1 April 2026; it is the 11th."""
    customer = subscriber(world.at("2026-04-01"))
    world.at("2026-04-11 15:00")
    return customer


def test_closing_reads_every_component_also_of_what_was_not_used(
    world: World, alice: Customer
) -> None:
    usage.record(ONE_OF_EACH, now=world.now)

    totals = closed(open_period(alice))

    assert {name: total.normalize() for name, total in totals.items()} == {
        "traffic": 0,
        "tokens": 5,
        "tokens[model=large|huge]": 0,
        "jobs": 1,
        "jobs[model=large|huge]": 0,
        "peak": 7,
        "peak[model=large|huge]": 0,
        "seats": 9,
        "seats[model=large|huge]": 0,
        "users": 1,
        "users[model=large|huge]": 1,
        "users[region=eu]": 0,
    }
    rows = UsageTotal.objects.filter(period__customer=alice)
    assert {row.component: row.billed_quantity for row in rows} == totals


def test_what_comes_after_closing_is_a_difference_and_adjusted_once(
    world: World, alice: Customer
) -> None:
    usage.record(ONE_OF_EACH, now=world.now)
    closed(open_period(alice))
    assert adjusted(alice) == {}

    late = [
        report("g", "tokens", "2"),
        report("h", "peak", "6"),
        report("i", "seats", "1", world.now - timedelta(seconds=1)),
        report("j", "users", user="ann"),
        report("k", "users", user="bob", region="eu"),
    ]
    usage.record(late, now=world.now)

    expected = {"tokens": (Decimal(5), Decimal(7)), "users[region=eu]": (Decimal(0), Decimal(1))}
    assert adjusted(alice) == expected
    assert adjusted(alice) == {}
    usage.record([report("l", "tokens", "2")], now=world.now)
    assert adjusted(alice) == {"tokens": (Decimal(7), Decimal(9))}


def test_an_adjustment_tells_all_of_the_period_and_nothing_of_others(
    world: World, alice: Customer
) -> None:
    subscriber(world, "bob")
    usage.record(ONE_OF_EACH, now=world.now)
    april, bobs = (
        BillingPeriod.objects.get(customer__organization_id=name) for name in ("alice", "bob")
    )
    closed(april)
    closed(bobs)
    usage.record([report("g"), report("h", customer="bob")], now=world.now)

    with transaction.atomic():
        found = usage.to_adjust([april.subscription_id])

    assert list(found) == [april.pk]
    adjustment = found[april.pk]
    assert adjustment.kind == PeriodKind.REGULAR
    assert len(adjustment.billed) == len(adjustment.now) == 12
    assert [side["tokens"] for side in (adjustment.billed, adjustment.now)] == [5, 6]
    assert [side["seats"] for side in (adjustment.billed, adjustment.now)] == [9, 9]
    assert UsageTotal.objects.get(period=bobs, component="tokens").billed_quantity == 0


def test_adjusting_waits_for_nobody_who_counts(world: World, alice: Customer) -> None:
    """What a batch is just adding to is adjusted the next time, and the rest now."""
    period = open_period(alice)
    closed(period)
    usage.record([report("a", "tokens", "3"), report("b", "jobs")], now=world.now)
    is_counting, may_commit = Event(), Event()

    def count() -> None:
        with transaction.atomic():
            UsageTotal.objects.filter(period=period, component="jobs").update(quantity=1)
            is_counting.set()
            assert may_commit.wait(10)

    def adjust() -> dict[str, Any]:
        assert is_counting.wait(10)
        try:
            return adjusted(alice)
        finally:
            may_commit.set()

    _, found = at_once(count, adjust)

    assert found == {"tokens": (Decimal(0), Decimal(3))}
    assert adjusted(alice) == {"jobs": (Decimal(0), Decimal(1))}


def test_counting_while_periods_close_loses_nothing(world: World, alice: Customer) -> None:
    """Events of both sides of midnight arrive while the run closes April and opens May."""
    clock = world.clock
    clock.now = instant("2026-05-01 00:01")
    clock.save()
    sides = [instant("2026-04-30 23:59"), instant("2026-05-01 00:00")]

    def send(client: int) -> Receipt:
        events = [
            report(f"{client}-{side}-{n}-{meter}", meter, at=at, user=n)
            for n in range(10)
            for side, at in enumerate(sides)
            for meter in ("tokens", "users")
        ]
        accepted = sum(usage.record([event], now=clock.now).accepted for event in events)
        return Receipt(accepted, 0, [])

    outcomes = at_once(
        *(lambda client=client: send(client) for client in range(4)),
        lambda: cycle.run(now=clock.now, clock=clock),
    )

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert not UsageEvent.objects.filter(period=None).exists()
    for period in BillingPeriod.objects.filter(customer=alice):
        assert counted(period) == {"tokens": Decimal(40), "users": Decimal(10)}


def _both_sides(at: Any) -> list[Any]:
    """Events of every kind right before an instant, and at it."""
    return [
        report(f"{meter}-{n}", meter, f"{5 + 2 * n}", at - timedelta(minutes=1 - n), user=user)
        for meter in ("tokens", "jobs", "peak", "seats", "users")
        for n, user in enumerate(("ann", "bob"))
    ] + [report("ann-again", "users", at=at + timedelta(seconds=1), user="ann")]


BEFORE = {
    "tokens": Decimal(5),
    "jobs": Decimal(1),
    "peak": Decimal(5),
    "seats": Decimal(5),
    "users": Decimal(1),
}
ALL = {
    "tokens": Decimal(12),
    "jobs": Decimal(2),
    "peak": Decimal(7),
    "seats": Decimal(7),
    "users": Decimal(2),
}


def test_a_cut_lets_go_of_what_comes_after_it(world: World, alice: Customer) -> None:
    at, period = world.now, open_period(alice)
    usage.record(_both_sides(at), now=at)
    assert counted(period) == ALL

    cut(alice, at)

    assert counted(period) == BEFORE
    assert {key: row[0] for key, row in values(period).items()} == {("users", "ann"): 1}
    assert open_period(alice).counts_until == at
    assert UsageEvent.objects.filter(period=None).count() == 6
    usage.record([report("z", at=at)], now=at)
    assert counted(period) == BEFORE


def test_extending_counts_again_what_a_cut_let_go(world: World, alice: Customer) -> None:
    at, period = world.now, open_period(alice)
    usage.record(_both_sides(at), now=at)
    cut(alice, at)

    extend(alice, at + timedelta(seconds=1))
    assert counted(period) == ALL
    assert UsageEvent.objects.get(period=None).event_id == "ann-again"
    extend(alice, period.ends_at)

    assert counted(period) == ALL
    assert values(period)["users", "ann"][0] == 2
    assert not UsageEvent.objects.filter(period=None).exists()


def test_a_cut_of_what_nobody_used_takes_no_more_than_it_needs(
    world: World, alice: Customer, django_assert_num_queries: Callable[..., Any]
) -> None:
    now, period = world.now, open_period(alice)
    usage.record(_both_sides(now - timedelta(days=1)), now=now)

    with transaction.atomic(), django_assert_num_queries(3):
        usage.cut(period, now)
    with transaction.atomic(), django_assert_num_queries(0):
        usage.cut(period, now)

    assert counted(period) == ALL


def test_cutting_and_extending_while_events_arrive_misplaces_none(
    world: World, alice: Customer
) -> None:
    """Each client sends events of both sides, while the period is cut and extended in turn."""
    at, ends_at = world.now, open_period(alice).ends_at

    def send(client: int) -> int:
        accepted = 0
        for n in range(12):
            events = [
                report(f"{client}-{n}-{meter}-{side}", meter, f"{n}", moment, user=f"{side}")
                for side, moment in enumerate((at - timedelta(seconds=1), at))
                for meter in ("tokens", "seats", "users", "peak")
            ]
            accepted += usage.record(events, now=at).accepted
        return accepted

    def move() -> int:
        for _ in range(12):
            cut(alice, at)
            extend(alice, ends_at)
        cut(alice, at)
        return 0

    outcomes = at_once(*(lambda client=client: send(client) for client in range(3)), move)

    assert outcomes == [96, 96, 96, 0]
    assert counted(open_period(alice)) == {
        "tokens": Decimal(198),
        "seats": Decimal(11),
        "users": Decimal(1),
        "peak": Decimal(11),
    }
    assert UsageEvent.objects.filter(period=None).count() == 144


@pytest.fixture
def _a_batch_that_saw_the_period_before_it_was_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Event, Event]]:
    """Stops batches after they counted and before they commit."""
    has_counted, may_commit = Event(), Event()
    count = counting.count

    def slowly(batch: Any) -> Any:
        outcome = count(batch)
        has_counted.set()
        may_commit.wait(2)
        return outcome

    monkeypatch.setattr(counting, "count", slowly)
    yield has_counted, may_commit
    may_commit.set()


def test_a_cut_waits_for_the_batch_that_is_being_counted(
    world: World,
    alice: Customer,
    _a_batch_that_saw_the_period_before_it_was_cut: tuple[Event, Event],  # noqa: PT019  # it is used
) -> None:
    has_counted, may_commit = _a_batch_that_saw_the_period_before_it_was_cut
    at = world.now

    def cut_now() -> None:
        assert has_counted.wait(10)
        cut(alice, at)

    at_once(lambda: usage.record([report("a", at=at)], now=at), cut_now)

    assert counted(open_period(alice)) == {}
    assert UsageEvent.objects.get().period is None
    may_commit.set()


def test_a_batch_waits_for_the_cut_that_is_being_made(world: World, alice: Customer) -> None:
    at, is_cut, may_commit = world.now, Event(), Event()

    def cut_slowly() -> None:
        with transaction.atomic():
            locks.customer(alice.pk)
            locks.live_subscription(alice.pk)
            usage.cut(open_period(alice), at)
            is_cut.set()
            may_commit.wait(1)

    def send() -> Receipt:
        assert is_cut.wait(10)
        return usage.record([report("a", at=at)], now=at)

    _, receipt = at_once(cut_slowly, send)

    assert receipt == Receipt(1, 0, [])
    assert counted(open_period(alice)) == {}
    assert UsageEvent.objects.get().period is None


def test_recounting_follows_a_period_that_has_become_another(world: World, alice: Customer) -> None:
    usage.record(ONE_OF_EACH, now=world.now)
    period = open_period(alice)
    period.meters = ["tokens", "users"]
    period.filters = [{"meter": "users", "component": "users[user=ann]", "only": {"user": "ann"}}]
    period.save()

    with transaction.atomic():
        usage.recount(period)

    assert counted(period) == {"tokens": Decimal(5), "users[user=ann]": Decimal(1)}
    assert UsageEvent.objects.filter(period=None).count() == 3
