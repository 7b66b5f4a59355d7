from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError

from billing.models import UsageDay, UsageEvent
from billing.services import cycle, test_clocks, usage
from billing.services.usage import Receipt
from customers.models import Customer
from tests.services.metered import (
    counted,
    days,
    make_meters,
    open_period,
    report,
    subscriber,
    values,
)
from tests.world import World, instant

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(world: World) -> Customer:
    """On a plan with a meter of every kind, since 1 April 2026; it is the 11th."""
    customer = subscriber(world.at("2026-04-01"))
    world.at("2026-04-11 15:00")
    return customer


def test_an_event_is_counted_in_its_period_and_on_its_day(world: World, alice: Customer) -> None:
    receipt = usage.record([report("a", quantity="2.5"), report("b", quantity="7")], now=world.now)

    assert receipt == Receipt(accepted=2, duplicates=0, rejected=[])
    assert counted(open_period(alice)) == {"tokens": Decimal("9.5")}
    assert days(alice, "tokens") == {"04-11": Decimal("9.5")}


def test_the_same_id_is_a_duplicate_whatever_it_says(world: World, alice: Customer) -> None:
    usage.record([report("a", quantity="2")], now=world.now)

    receipt = usage.record(
        [report("a", quantity="900"), report("b"), report("b", "jobs")], now=world.now
    )

    assert (receipt.accepted, receipt.duplicates) == (1, 2)
    assert counted(open_period(alice)) == {"tokens": Decimal(3)}


def test_of_one_id_in_a_batch_the_first_counts(world: World, alice: Customer) -> None:
    events = [report("a", quantity=f"{2**n}", at=world.now) for n in range(8)]

    assert usage.record(events, now=world.now) == Receipt(1, 7, [])
    assert counted(open_period(alice)) == {"tokens": Decimal(1)}


def test_a_bad_event_is_told_and_stops_nothing(world: World, alice: Customer) -> None:
    receipt = usage.record(
        [
            report("a"),
            report("b", customer="nobody"),
            report("c", "nothing"),
            report("d", quantity="-1"),
            report("e", quantity="NaN"),
            report("f", at=world.now - timedelta(days=61)),
            report("g", at=world.now + timedelta(minutes=6)),
            report("h", customer=str(alice.pk)),
            report("i", quantity="1e15"),
            report("j", quantity="0.0000000000001"),
        ],
        now=world.now,
    )

    assert receipt.accepted == 2
    assert [(rejection.index, rejection.code) for rejection in receipt.rejected] == [
        (1, "unknown_customer"),
        (2, "unknown_meter"),
        (3, "invalid_quantity"),
        (4, "invalid_quantity"),
        (5, "too_old"),
        (6, "in_the_future"),
        (8, "invalid_quantity"),
        (9, "invalid_quantity"),
    ]
    assert counted(open_period(alice)) == {"tokens": Decimal(2)}


def test_a_caller_reports_for_its_own_customer_only(world: World, alice: Customer) -> None:
    world.signs_up("bob", "Basic")

    receipt = usage.record(
        [report("a"), report("b", customer="bob")], now=world.now, only_customer=alice.pk
    )

    assert receipt.accepted == 1
    assert [rejection.code for rejection in receipt.rejected] == ["unknown_customer"]


@pytest.mark.parametrize(
    ("meter", "quantities", "total"),
    [
        ("tokens", ["5", "0.5", "2"], "7.5"),
        ("jobs", ["50", "0", "7"], "3"),
        ("peak", ["5", "8.25", "2"], "8.25"),
        ("seats", ["5", "8", "2"], "2"),
    ],
)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_each_aggregation(
    world: World,
    alice: Customer,
    *,
    meter: str,
    quantities: list[str],
    total: str,
    is_one_batch: bool,
) -> None:
    events = [
        report(f"{n}", meter, quantity, at=world.now + timedelta(minutes=n - 10))
        for n, quantity in enumerate(quantities)
    ]
    for batch in [events] if is_one_batch else [[event] for event in events]:
        usage.record(batch, now=world.now)

    assert counted(open_period(alice)) == {meter: Decimal(total)}
    assert days(alice, meter) == {"04-11": Decimal(total)}


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_the_latest_is_by_when_it_occurred_and_of_two_the_greater(
    world: World, alice: Customer, is_one_batch: bool
) -> None:
    events = [
        report("noon", "seats", "7", "2026-04-10 12:00"),
        report("noon too", "seats", "9", "2026-04-10 12:00"),
        report("noon again", "seats", "8", "2026-04-10 12:00"),
        report("morning", "seats", "99", "2026-04-10 08:00"),
        report("the day before", "seats", "50", "2026-04-09 12:00"),
    ]
    for batch in [events] if is_one_batch else [[event] for event in events]:
        usage.record(batch, now=world.now)

    assert counted(open_period(alice)) == {"seats": Decimal(9)}
    assert days(alice, "seats") == {"04-10": Decimal(9), "04-09": Decimal(50)}


def test_unique_values_are_counted_once_in_a_period(world: World, alice: Customer) -> None:
    usage.record(
        [
            report("a", "users", at="2026-04-10 12:00", user="ann"),
            report("b", "users", at="2026-04-09 12:00", user="ann"),
            report("c", "users", user="bob"),
        ],
        now=world.now,
    )
    usage.record([report("d", "users", user="ann"), report("e", "users", user=7)], now=world.now)
    usage.record([report("f", "users", user="7")], now=world.now)

    period = open_period(alice)
    assert counted(period) == {"users": Decimal(3)}
    assert {key: events for key, (events, _) in values(period).items()} == {
        ("users", "ann"): 3,
        ("users", "bob"): 1,
        ("users", "7"): 2,
    }
    assert f"{values(period)['users', 'ann'][1]}" == "2026-04-09"
    assert not UsageDay.objects.filter(customer=alice).exists()
    world.at("2026-05-01 00:00")
    usage.record([report("g", "users", user="ann")], now=world.now)
    assert counted(open_period(alice)) == {"users": Decimal(1)}


@pytest.mark.parametrize("number", [1.0, 1, "1", "1.0"])
def test_a_meter_reads_its_property_and_no_quantity(
    world: World, alice: Customer, number: Any
) -> None:
    usage.record([report("a", "traffic", "900", bytes=number)], now=world.now)

    assert counted(open_period(alice)) == {"traffic": Decimal(1)}
    assert UsageEvent.objects.get().quantity == 1


@pytest.mark.parametrize(
    ("meter", "properties", "code"),
    [
        ("traffic", {}, "missing_property"),
        ("traffic", {"bytes": None}, "missing_property"),
        ("users", {"bytes": 1}, "missing_property"),
        ("traffic", {"bytes": "many"}, "invalid_property"),
        ("traffic", {"bytes": True}, "invalid_property"),
        ("traffic", {"bytes": [1]}, "invalid_property"),
        ("traffic", {"bytes": -1}, "invalid_property"),
        ("traffic", {"bytes": "NaN"}, "invalid_property"),
        ("traffic", {"bytes": 1e300}, "invalid_property"),
        ("traffic", {"bytes": 10**15}, "invalid_property"),
        ("traffic", {"bytes": "0.0000000000001"}, "invalid_property"),
        ("users", {"user": {}}, "invalid_property"),
        ("users", {"user": ["ann"]}, "invalid_property"),
        ("users", {"user": ""}, "invalid_property"),
        ("users", {"user": "x" * 256}, "invalid_property"),
        ("users", {"user": 1e300}, "invalid_property"),
    ],
)
def test_a_property_that_cannot_be_counted(
    world: World, alice: Customer, *, meter: str, properties: dict[str, Any], code: str
) -> None:
    receipt = usage.record([report("a", meter, **properties), report("b")], now=world.now)

    assert [rejection.code for rejection in receipt.rejected] == [code]
    assert counted(open_period(alice)) == {"tokens": Decimal(1)}


def test_an_event_counts_in_the_first_component_that_fits_it(world: World, alice: Customer) -> None:
    usage.record(
        [
            report("a", "users", user="ann", model="large", region="eu"),
            report("b", "users", user="ann", model="small", region="eu"),
            report("c", "users", user="ann", model="small"),
            report("d", "users", user="bob", model="huge"),
            report("e", "tokens", "5", model="large"),
            report("f", "tokens", "7", region="eu", model=None),
            report("g", "tokens", "3"),
            report("h", "traffic", model="large", bytes=2),
        ],
        now=world.now,
    )

    assert counted(open_period(alice)) == {
        "users[model=large|huge]": Decimal(2),
        "users[region=eu]": Decimal(1),
        "users": Decimal(1),
        "tokens[model=large|huge]": Decimal(5),
        "tokens": Decimal(10),
        "traffic": Decimal(2),
    }


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("true", True),
        (True, True),
        (False, False),
        ("1.5", True),
        (1.5, True),
        (Decimal("1.50"), True),
        (100, True),
        (100.0, True),
        ("100.0", False),
        (None, False),
        (["true"], False),
        ({"true": "true"}, False),
    ],
)
def test_a_filter_compares_texts(world: World, alice: Customer, value: Any, fits: bool) -> None:
    period = open_period(alice)
    period.filters = [
        {"meter": "tokens", "component": "tokens[a=…]", "only": {"a": text, "b": "x"}}
        for text in ("true", "1.5", "100")
    ]
    period.save()
    stored = float(value) if isinstance(value, Decimal) else value

    usage.record(
        [report("a", a=stored, b="x"), report("b", b="x"), report("c", a=stored)], now=world.now
    )

    expected = {"tokens[a=…]": Decimal(1), "tokens": Decimal(2)}
    assert counted(period) == (expected if fits else {"tokens": Decimal(3)})


def test_the_day_is_the_customers_own(world: World) -> None:
    make_meters()
    tokyo = world.at("2026-04-11 16:00").customer("alice", timezone="Asia/Tokyo")

    usage.record([report("a")], now=world.now)

    assert f"{UsageDay.objects.get(customer=tokyo).day}" == "2026-04-12"


def test_an_event_without_a_period_waits_for_one(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-12 10:00")  # the trial is over, there is no card
    usage.record([report("too early", "api_calls")], now=world.now)
    world.at("2026-04-13 10:00").adds_card(alice)
    usage.record(
        [report("in time", "api_calls"), report("at the start", "api_calls", at=world.now)],
        now=world.now,
    )

    waiting = UsageEvent.objects.get(period=None)
    assert waiting.event_id == "too early"
    assert counted(open_period(alice)) == {"api_calls": Decimal(2)}


def test_an_event_that_outruns_the_run_is_counted_when_its_period_opens(
    world: World, alice: Customer
) -> None:
    """May has begun, the run has not yet closed April: the events wait and are then counted."""
    clock = world.clock
    clock.now = instant("2026-05-01 00:05")
    clock.save()
    early = [
        report("early bird", quantity="3", model="large"),
        report("ann", "users", user="ann"),
        report("ann too", "users", user="ann"),
        report("seats", "seats", "5", "2026-05-01 00:04"),
        report("fewer", "seats", "2", "2026-05-01 00:02"),
    ]
    usage.record(early, now=world.now)
    assert set(UsageEvent.objects.values_list("period", flat=True)) == {None}

    cycle.run(now=clock.now, clock=clock)

    assert counted(open_period(alice)) == {
        "tokens[model=large|huge]": Decimal(3),
        "users": Decimal(1),
        "seats": Decimal(5),
    }


@pytest.mark.django_db(transaction=True)
def test_a_recorded_event_cannot_be_changed(world: World, alice: Customer) -> None:
    usage.record([report("a")], now=world.now)
    for change in (
        lambda: UsageEvent.objects.update(quantity=99),
        lambda: UsageEvent.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="refused"):
            change()


def test_a_clock_of_its_own_decides_what_is_too_old(world: World, alice: Customer) -> None:
    receipt = usage.record([report("a")], now=instant("2031-01-01"))
    assert receipt.accepted == 1
    test_clocks.advance(world.clock.pk, to=instant("2026-04-12"))
