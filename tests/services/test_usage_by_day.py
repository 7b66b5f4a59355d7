"""What charts and entitlements read: days, and the totals of periods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BillingPeriod
from billing.queries import overview, usage
from billing.queries.usage import Day, PeriodUsage
from billing.services import usage as counting
from customers.models import Customer
from tests.services.metered import METERS, counted, open_period, report, subscriber
from tests.world import World

pytestmark = pytest.mark.django_db

Rows = list[tuple[str, str, str]]
# Quantity and running count of the 8th to the 11th.
BY_DAY: dict[str, Rows] = {
    "tokens": [("04-08", "0", "0"), ("04-09", "5", "5"), ("04-10", "0", "5"), ("04-11", "5", "10")],
    "jobs": [("04-08", "0", "0"), ("04-09", "2", "2"), ("04-10", "0", "2"), ("04-11", "2", "4")],
    "peak": [("04-08", "0", "0"), ("04-09", "4", "4"), ("04-10", "0", "4"), ("04-11", "3", "4")],
    "seats": [("04-08", "0", "0"), ("04-09", "1", "1"), ("04-10", "0", "1"), ("04-11", "3", "3")],
    "users": [("04-08", "0", "0"), ("04-09", "2", "2"), ("04-10", "0", "2"), ("04-11", "1", "3")],
}


@pytest.fixture
def alice(world: World) -> Customer:
    """Used all meters on the 9th and, in another component, on the 11th."""
    customer = subscriber(world.at("2026-04-01"))
    now = world.at("2026-04-11 15:00").now
    counting.record(
        [
            report(f"{meter}-{at}", meter, quantity, at, **properties)
            for meter in BY_DAY
            for at, quantity, properties in (
                ("2026-04-09 10:00", "4", {"user": "ann"}),
                ("2026-04-09 11:00", "1", {"user": "bob"}),
                ("2026-04-11 10:00", "2", {"user": "ann", "model": "large"}),
                ("2026-04-11 11:00", "3", {"user": "eve", "model": "large"}),
            )
        ],
        now=now,
    )
    return customer


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def shown(days: Sequence[Day]) -> Rows:
    return [(f"{day.day:%m-%d}", plain(day.quantity), plain(day.running)) for day in days]


@pytest.mark.parametrize("meter", BY_DAY)
def test_every_day_with_how_far_the_count_has_come(alice: Customer, meter: str) -> None:
    days = usage.by_day(alice, meter, start=date(2026, 4, 8), end=date(2026, 4, 12))

    assert shown(days) == BY_DAY[meter]


def test_a_value_is_new_once_also_over_several_periods(world: World, alice: Customer) -> None:
    world.at("2026-05-02")
    counting.record(
        [report("a", "users", user="ann"), report("b", "users", user="joe")], now=world.now
    )

    days = usage.by_day(alice, "users", start=date(2026, 4, 9), end=date(2026, 5, 3))

    assert [plain(days[n].quantity) for n in (0, 2, -1)] == ["2", "1", "1"]
    assert plain(days[-1].running) == "4"


def test_nothing_and_nobody(alice: Customer) -> None:
    day = date(2026, 4, 9)
    assert usage.by_day(alice, "nothing", start=day, end=date(2026, 4, 10)) == [
        Day(day, Decimal(0), Decimal(0))
    ]
    assert usage.by_day(alice, "tokens", start=day, end=day) == []
    assert usage.of_period(None) == PeriodUsage({}, {})


def test_a_meters_total_is_as_if_it_had_no_components(alice: Customer) -> None:
    period = open_period(alice)
    found = usage.of_period(period)

    assert {name: n.normalize() for name, n in found.by_component.items()} == counted(period)
    assert found.by_component["users"] == found.by_component["users[model=large|huge]"] == 2
    assert {code: plain(total) for code, total in found.by_meter.items()} == {
        "tokens": "10",
        "jobs": "4",
        "peak": "4",
        "seats": "3",
        "users": "3",
    }


def test_totals_of_many_periods_take_as_many_reads_as_of_one(
    world: World, alice: Customer, django_assert_num_queries: Callable[..., Any]
) -> None:
    subscriber(world, "bob")
    counting.record([report("a", customer="bob")], now=world.now)
    periods = list(BillingPeriod.objects.order_by("customer__organization_id"))

    with django_assert_num_queries(2):
        found = usage.totals([period.pk for period in periods])

    assert [plain(found[period.pk].by_meter["tokens"]) for period in periods] == ["10", "1"]


@pytest.mark.parametrize("meter", [code for code, _, _ in METERS if code != "traffic"])
def test_the_days_of_a_period_end_with_its_total(world: World, alice: Customer, meter: str) -> None:
    days = overview.of(alice, now=world.now).days[meter]

    assert (len(days), f"{days[0].day}") == (11, "2026-04-01")
    assert shown(days[-4:]) == BY_DAY[meter]


@pytest.mark.parametrize(
    ("meter", "first", "last"),
    [
        ("tokens", ("3", "3"), ("2", "5")),
        ("jobs", ("1", "1"), ("1", "2")),
        ("peak", ("3", "3"), ("2", "3")),
        ("seats", ("3", "3"), ("2", "2")),
        ("users", ("1", "1"), ("1", "2")),
    ],
)
def test_a_day_that_began_in_the_period_before_counts_from_the_start(
    world: World, *, meter: str, first: tuple[str, str], last: tuple[str, str]
) -> None:
    """In Tokyo the 1st begins at 15:00; before it, seats were 9 and the peak was, too."""
    alice = subscriber(world.at("2026-04-01 06:00"), timezone="Asia/Tokyo")
    clock = world.clock
    period = open_period(alice)
    period.starts_at = world.at("2026-04-01 08:00").now
    period.save()
    clock.refresh_from_db()
    counting.record(
        [
            report("a", meter, "9", "2026-04-01 07:00", user="ann"),
            report("b", meter, "3", "2026-04-01 09:00", user="ann"),
            report("c", meter, "2", "2026-04-02 09:00", user="bob"),
        ],
        now=world.at("2026-04-02 10:00").now,
    )

    days = overview.of(alice, now=world.now).days[meter]

    assert shown(days) == [("04-01", *first), ("04-02", *last)]
