from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.periods import Cadence, Period, days_between
from plans.terms import Alignment, Interval

ZONES = [
    "UTC",
    "Asia/Tokyo",
    "America/Juneau",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Santiago",
    "Pacific/Kiritimati",
]

cadences = st.builds(
    Cadence,
    anchor=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=7300)).map(
        lambda later: datetime(2015, 1, 1, tzinfo=UTC) + later
    ),
    interval=st.sampled_from(Interval),
    interval_count=st.integers(min_value=1, max_value=14),
    alignment=st.sampled_from(Alignment),
    zone=st.sampled_from([ZoneInfo(zone) for zone in ZONES]),
)


def monthly(
    anchor: str, zone: str = "UTC", alignment: Alignment = Alignment.ANNIVERSARY
) -> Cadence:
    start = datetime.fromisoformat(anchor).replace(tzinfo=ZoneInfo(zone))
    return Cadence(start.astimezone(UTC), Interval.MONTH, 1, alignment, ZoneInfo(zone))


def local(cadence: Cadence, instant: datetime) -> str:
    return f"{instant.astimezone(cadence.zone):%Y-%m-%d %H:%M}"


@given(cadences, st.integers(min_value=0, max_value=40))
def test_periods_tile(cadence: Cadence, count: int) -> None:
    span = cadence.opening(cadence.anchor, needs_a_day=False)
    assert span.period.start == cadence.anchor
    for _ in range(count):
        following = cadence.following(span.period.end)
        assert following.period.start == span.period.end
        assert following.period == following.nominal
        span = following


@given(cadences)
def test_periods_tile_a_hundred_years(cadence: Cadence) -> None:
    """Each boundary is counted from the anchor; a local day that never was leaves no period."""
    a_year = {Interval.DAY: 366, Interval.WEEK: 53, Interval.MONTH: 12, Interval.YEAR: 1}
    in_all = 100 * a_year[cadence.interval] // cadence.interval_count + 1
    for first in {0, in_all // 3, in_all - 24}:
        indices = range(max(first, 0), max(first, 0) + 24)
        bounds = [cadence.boundary(index) for index in indices]
        assert bounds == sorted(bounds)
        for start, end in pairwise(bounds):
            if start == end:
                continue
            period = Period(start, end)
            assert cadence.nominal(start) == period
            assert cadence.nominal(end - timedelta(microseconds=1)) == period
            assert cadence.following(start).period == period
            assert cadence.is_boundary(start)


@given(
    st.sampled_from([29, 30, 31]),
    st.integers(min_value=0, max_value=1199),
    st.sampled_from(ZONES),
)
def test_an_anchor_late_in_the_month_is_never_lost(day: int, months: int, zone: str) -> None:
    """In each of 1,200 months the boundary is that day, or the month's last."""
    start = datetime(2015, 1, day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    cadence = Cadence(start, Interval.MONTH, 1, Alignment.ANNIVERSARY, ZoneInfo(zone))
    found = cadence.boundary(months).astimezone(ZoneInfo(zone))
    assert (found.year, found.month) == (2015 + months // 12, months % 12 + 1)
    assert found.day == min(day, monthrange(found.year, found.month)[1])


@given(cadences, st.timedeltas(min_value=timedelta(), max_value=timedelta(days=4000)))
def test_an_instant_is_in_its_own_period(cadence: Cadence, later: timedelta) -> None:
    instant = cadence.anchor + later
    assert instant in cadence.nominal(instant)


@given(cadences)
def test_the_first_period_is_within_one_interval_or_joins_the_next(cadence: Cadence) -> None:
    span = cadence.opening(cadence.anchor, needs_a_day=True)
    assert span.period.start == cadence.anchor
    assert days_between(cadence.anchor, span.period.end, cadence.zone) >= 1
    assert span.nominal.end == span.period.end
    assert span.is_short == (
        cadence.alignment == Alignment.CALENDAR and span.nominal.start <= cadence.anchor
    )


def test_the_anchor_survives_february() -> None:
    cadence = monthly("2026-01-31")
    ends = [local(cadence, cadence.boundary(index))[:10] for index in range(1, 6)]
    assert ends == ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]


def test_a_leap_day_comes_back_after_four_years() -> None:
    start = datetime(2024, 2, 29, tzinfo=UTC)
    yearly = Cadence(start, Interval.YEAR, 1, Alignment.ANNIVERSARY, ZoneInfo("UTC"))
    days = [f"{yearly.boundary(index):%Y-%m-%d}" for index in range(5)]
    assert days == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]


def test_months_begin_at_local_midnight_whatever_the_clocks_do() -> None:
    cadence = monthly("2015-10-01", "America/Juneau", Alignment.CALENDAR)
    for index in range(18):
        assert local(cadence, cadence.boundary(index))[8:] == "01 00:00"


def test_the_calendar_month_ends_with_the_customers_month() -> None:
    cadence = monthly("2026-04-11 15:00", "Asia/Tokyo", Alignment.CALENDAR)
    span = cadence.opening(cadence.anchor, needs_a_day=True)
    assert span.period == Period(
        datetime(2026, 4, 11, 6, tzinfo=UTC), datetime(2026, 4, 30, 15, tzinfo=UTC)
    )
    assert span.is_short


def test_a_first_period_of_no_days_joins_the_next_one() -> None:
    cadence = monthly("2026-04-30 10:00", alignment=Alignment.CALENDAR)
    span = cadence.opening(cadence.anchor, needs_a_day=True)
    assert local(cadence, span.period.end) == "2026-06-01 00:00"
    assert not span.is_short
    counted = cadence.opening(cadence.anchor, needs_a_day=False)
    assert local(cadence, counted.period.end) == "2026-05-01 00:00"


@pytest.mark.parametrize(
    ("interval", "ends"),
    [
        (Interval.DAY, "2026-04-12"),
        (Interval.WEEK, "2026-04-13"),
        (Interval.MONTH, "2026-05-01"),
        (Interval.YEAR, "2027-01-01"),
    ],
)
def test_calendar_units(interval: Interval, ends: str) -> None:
    saturday = datetime(2026, 4, 11, 9, tzinfo=UTC)
    cadence = Cadence(saturday, interval, 1, Alignment.CALENDAR, ZoneInfo("UTC"))
    span = cadence.opening(saturday, needs_a_day=False)
    assert local(cadence, span.period.end)[:10] == ends


@pytest.mark.parametrize(
    ("before", "after", "ends"),
    [
        ("Asia/Tokyo", "UTC", "2026-06-01 00:00"),
        ("UTC", "Asia/Tokyo", "2026-06-01 00:00"),
        ("Pacific/Kiritimati", "Pacific/Niue", "2026-06-01 00:00"),
    ],
)
def test_who_moves_to_another_zone_pays_no_month_for_some_hours(
    before: str, after: str, ends: str
) -> None:
    april = monthly("2026-04-01", before, Alignment.CALENDAR).nominal(
        datetime(2026, 4, 15, tzinfo=UTC)
    )
    moved = monthly("2026-04-01", after, Alignment.CALENDAR)

    span = moved.following(april.end)

    assert span.period.start == april.end
    assert local(moved, span.period.end) == ends
