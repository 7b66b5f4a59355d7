"""Many report and correct at once, for the same customers and meters."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from threading import Event
from time import sleep
from typing import Any

import pytest

from billing.models import UsageTotal
from billing.services import corrections, counting, usage
from billing.services.usage import Receipt
from customers.models import Customer
from plans.terms import Alignment
from tests import builders
from tests.services.metered import (
    counted,
    days,
    make_meters,
    metered_terms,
    open_period,
    report,
    subscriber,
)
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice(world: World) -> Customer:
    """On a plan with a meter of every kind, since 1 April 2026; it is the 11th."""
    customer = subscriber(world.at("2026-04-01"))
    world.at("2026-04-11 15:00")
    return customer


@pytest.mark.parametrize(
    ("meter", "total"),
    [("tokens", 319600), ("jobs", 800), ("peak", 799), ("seats", 799), ("users", 40)],
)
def test_events_at_the_same_instant_from_many_clients_are_all_counted(
    world: World, alice: Customer, meter: str, total: int
) -> None:
    """Four clients, every batch sent twice, all on one customer and meter."""
    now = world.now
    batches = [
        [
            report(f"{n}", meter, f"{n}", now - timedelta(seconds=800 - n), user=n % 40)
            for n in range(client, 800, 4)
        ]
        for client in range(4)
    ]

    receipts = at_once(
        *(lambda batch=batch: usage.record(batch, now=now) for batch in batches for _ in range(2))
    )

    assert all(isinstance(receipt, Receipt) for receipt in receipts), receipts
    assert sum(receipt.accepted for receipt in receipts if isinstance(receipt, Receipt)) == 800
    assert counted(open_period(alice)) == {meter: Decimal(total)}


def test_batches_for_many_customers_and_meters_meet_without_a_deadlock(world: World) -> None:
    world.at("2026-04-01")
    names = [subscriber(world, f"c{n}").organization_id for n in range(6)]
    now = world.at("2026-04-11").now

    def send(client: int) -> list[int]:
        return [
            usage.record(
                [
                    report(
                        f"{client}-{turn}-{name}-{meter}",
                        meter,
                        f"{turn}",
                        customer=name,
                        user=turn % 3,
                        bytes=1,
                        model="large" if turn % 2 else "small",
                    )
                    for name in (names if client % 2 else reversed(names))
                    for meter in ("users", "tokens", "peak", "seats", "traffic")
                ],
                now=now,
            ).accepted
            for turn in range(10)
        ]

    outcomes = at_once(*(lambda client=client: send(client) for client in range(4)))

    assert outcomes == [[30] * 10] * 4


def test_the_first_subscription_finds_what_is_just_being_reported(world: World) -> None:
    """Whoever reports while the first period opens waits for it, or is waited for."""
    make_meters()
    world.plans["Metered"] = builders.make_plan("Metered", terms=None)
    for name in ("a", "b", "c", "d"):
        customer = world.at("2026-04-01").customer(name)
        world.adds_card(customer)
        now = world.now

        def send(name: str = name, now: Any = now) -> list[int]:
            return [
                usage.record([report(f"{n}", "api_calls", customer=name)], now=now).accepted
                for n in range(20)
            ]

        outcomes = at_once(send, lambda c=customer: world.subscribes(c, "Premium"))  # type: ignore[misc]

        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert counted(open_period(customer)) == {"api_calls": Decimal(20)}


@pytest.mark.parametrize("meter", ["tokens", "peak", "seats"])
def test_a_day_that_two_periods_share_waits_for_who_counts_in_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch, meter: str
) -> None:
    """A period ends at noon; a batch counts after it while an event before it is withdrawn."""
    make_meters()
    terms = metered_terms(alignment=Alignment.ANNIVERSARY)
    world.plans["Metered"] = builders.make_plan("Metered", terms)
    alice = subscriber(world.at("2026-04-01 12:00"))
    now = world.at("2026-05-01 15:00").now
    usage.record([report("before", meter, "7", "2026-05-01 11:00")], now=now)
    has_counted, count = Event(), counting.count

    def slowly(batch: Any) -> Any:
        outcome = count(batch)
        has_counted.set()
        sleep(0.5)
        return outcome

    def withdraw_meanwhile() -> None:
        assert has_counted.wait(10)
        corrections.withdraw("alice", "before", by="test", now=now)

    monkeypatch.setattr(counting, "count", slowly)
    outcomes = at_once(
        lambda: usage.record([report("after", meter, "4", "2026-05-01 14:00")], now=now),
        withdraw_meanwhile,
    )

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert days(alice, meter) == {"05-01": Decimal(4)}
    assert counted(open_period(alice)) == {meter: Decimal(4)}


def test_corrections_amid_reports_lose_nothing(world: World, alice: Customer) -> None:
    """Clients report for every meter, and what they reported is withdrawn and replaced."""
    now = world.now
    meters = ("tokens", "jobs", "peak", "seats", "users")
    moments = [now - timedelta(days=n % 3, seconds=n) for n in range(15)]

    def send(client: int) -> None:
        for n, at in enumerate(moments):
            batch = [
                report(f"{client}-{n}-{meter}", meter, f"{n}", at, user=n % 4) for meter in meters
            ]
            assert usage.record(batch, now=now).accepted == len(meters)

    def correct(client: int) -> None:
        send(client)
        for n in range(len(moments)):
            for meter in meters:
                name = f"{client}-{n}-{meter}"
                if n % 2:
                    corrections.withdraw("alice", name, by="test", now=now)
                else:
                    at = moments[-1 - n]
                    corrections.replace(report(name, meter, "1", at, user="x"), by="test", now=now)

    outcomes = at_once(
        *(lambda client=client: send(client) for client in (0, 1)),
        *(lambda client=client: correct(client) for client in (2, 3)),
    )

    assert outcomes == [None] * 4
    period = open_period(alice)
    assert counted(period) == {
        "tokens": Decimal(2 * 105 + 2 * 8),
        "jobs": Decimal(2 * 15 + 2 * 8),
        "peak": Decimal(14),
        "seats": Decimal(1),
        "users": Decimal(5),
    }
    assert UsageTotal.objects.get(period=period, component="seats").latest_at == moments[0]
