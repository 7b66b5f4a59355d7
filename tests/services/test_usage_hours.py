"""Hours agree with their days, whatever a meter counts, and however long the day is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest

from billing.queries import usage, usage_hours
from billing.queries.usage_hours import Bucket
from billing.services import corrections
from billing.services import usage as counting
from customers.models import Customer
from plans.models import Meter
from tests.services.metered import METERS, report, subscriber
from tests.world import World, instant

pytestmark = pytest.mark.django_db

CODES = [code for code, _, _ in METERS if code != "traffic"]
# A zone, a local day, and how many hours it has.
DAYS = [
    ("UTC", date(2026, 3, 28), 24),
    ("Europe/Berlin", date(2026, 3, 29), 23),
    ("Europe/Berlin", date(2026, 10, 25), 25),
    ("Asia/Kolkata", date(2026, 3, 29), 24),
]


def _hours(customer: Customer, meter: str, start: date, end: date) -> Sequence[Bucket]:
    return usage_hours.by_hour(
        customer,
        Meter.objects.get(code=meter),
        start=_midnight(start, customer),
        end=_midnight(end, customer),
    )


def _midnight(day: date, customer: Customer) -> datetime:
    return datetime.combine(day, time.min, tzinfo=customer.zone).astimezone(UTC)


def _joint(meter: str, hours: Sequence[Bucket]) -> Decimal:
    """What the hours make of a day."""
    aggregation = Meter.objects.get(code=meter).aggregation
    if aggregation == "MAX":
        return max(hour.quantity for hour in hours)
    if aggregation == "LAST":
        used = [hour.quantity for hour in hours if hour.quantity]
        return used[-1] if used else Decimal(0)
    return sum((hour.quantity for hour in hours), Decimal(0))


@pytest.mark.parametrize(("zone", "day", "length"), DAYS)
def test_the_hours_of_any_day_agree_with_it(
    world: World, *, zone: str, day: date, length: int
) -> None:
    alice = subscriber(world.at(f"{day - timedelta(days=4)} 02:00"), timezone=zone)
    start, end = day - timedelta(days=1), day + timedelta(days=2)
    now = world.at(f"{day + timedelta(days=3)} 12:00").now
    random = Random(length)  # noqa: S311  # no secret
    _use(alice, random, _midnight(start, alice), _midnight(end, alice), now=now)

    for meter in CODES:
        hours = _hours(alice, meter, start, end)
        days = usage.by_day(alice, meter, start=start, end=end)
        assert hours[-1].running == days[-1].running > 0, meter
        for one in days:
            first, last = (_midnight(at, alice) for at in (one.day, one.day + timedelta(days=1)))
            within = [hour for hour in hours if first <= hour.start < last]
            assert _joint(meter, within) == one.quantity, (meter, one.day)
            assert within[-1].running == one.running
            assert (within[0].start, within[-1].end) == (first, last)
        assert len([h for h in hours if h.start.astimezone(alice.zone).date() == day]) == length


def _use(
    customer: Customer, random: Random, start: datetime, end: datetime, *, now: datetime
) -> None:
    """Events of every meter at random, some of them withdrawn again."""
    seconds = int((end - start).total_seconds())
    reports = [
        report(
            f"{meter}-{number}",
            meter,
            str(random.randint(1, 99)),
            start + timedelta(seconds=random.randrange(seconds)),
            user=f"user-{random.randint(1, 30)}",
            model=random.choice(["large", "small"]),
        )
        for meter in CODES
        for number in range(40)
    ]
    assert counting.record(reports, now=now).accepted == len(reports)
    for said in random.sample(reports, 20):
        corrections.withdraw("alice", said.event_id, by="test", now=now)


def test_hours_begin_where_the_clock_says_so(world: World) -> None:
    alice = subscriber(world.at("2026-04-10"), timezone="Australia/Lord_Howe")
    spring, autumn = (
        _hours(alice, "tokens", day, day + timedelta(days=1))
        for day in (date(2026, 10, 4), date(2026, 4, 5))
    )

    def lengths(hours: Sequence[Bucket]) -> set[int]:
        return {(hour.end - hour.start) // timedelta(minutes=1) for hour in hours}

    assert (len(spring), lengths(spring)) == (24, {30, 60})
    assert (len(autumn), lengths(autumn)) == (24, {60, 90})
    assert all(before.end == after.start for before, after in pairwise(spring))


def test_the_hour_that_comes_twice_is_two(world: World) -> None:
    alice = subscriber(world.at("2026-10-20"), timezone="Europe/Berlin")
    counting.record(
        [
            report("a", at="2026-10-25 00:30"),  # half past two, in summer time
            report("b", at="2026-10-25 01:30", quantity="2"),  # and again
        ],
        now=world.at("2026-10-26").now,
    )

    hours = _hours(alice, "tokens", date(2026, 10, 25), date(2026, 10, 26))

    assert [(hour.start, hour.quantity, hour.running) for hour in hours if hour.quantity] == [
        (instant("2026-10-25 00:00"), Decimal(1), Decimal(1)),
        (instant("2026-10-25 01:00"), Decimal(2), Decimal(3)),
    ]


def test_what_waits_for_a_period_is_there_but_for_values(world: World) -> None:
    alice = subscriber(world.at("2026-04-05"))
    early = [report(meter, meter, "3", "2026-04-04 10:20", user="ann") for meter in CODES]
    counting.record(early, now=world.at("2026-04-06").now)

    for meter in CODES:
        [day] = usage.by_day(alice, meter, start=date(2026, 4, 4), end=date(2026, 4, 5))
        hours = _hours(alice, meter, date(2026, 4, 4), date(2026, 4, 5))
        assert hours[10].quantity == hours[-1].running == day.quantity
        assert bool(day.quantity) == (meter != "users")


def test_the_latest_of_a_day_that_was_withdrawn_is_the_one_before(world: World) -> None:
    alice = subscriber(world.at("2026-04-05"))
    said = [report("a", "seats", "5", "2026-04-06 10:00"), report("b", "seats", "7", "2026-04-07")]
    now = world.at("2026-04-08").now
    counting.record(said, now=now)
    corrections.withdraw("alice", "b", by="test", now=now)

    days = usage.by_day(alice, "seats", start=date(2026, 4, 6), end=date(2026, 4, 8))

    hours = _hours(alice, "seats", date(2026, 4, 6), date(2026, 4, 8))
    assert [day.running for day in days] == [5, 5]
    assert hours[-1].running == 5


def test_no_time_has_no_hours(world: World) -> None:
    alice = subscriber(world.at("2026-04-05"))

    assert _hours(alice, "tokens", date(2026, 4, 6), date(2026, 4, 6)) == []
