"""What is invoiced ahead is earned by day, to the cent and whatever the days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing.core import deferring
from billing.core.deferring import Portion
from billing.core.money import Money
from billing.core.periods import Period
from tests.unit.lives import local

APRIL = Period(local("2026-04-01"), local("2026-05-01"))
days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
portions = st.builds(
    lambda minor, currency, start, length: Portion(
        Money(minor, currency), start, start + timedelta(days=length)
    ),
    st.integers(-(10**9), 10**9),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    days,
    st.integers(1, 800),
)


def _deferred(minor: int, period: Period | None, at: datetime) -> tuple[int, str, str] | None:
    found = deferring.deferred(Money(minor, "EUR"), period, at=at)
    if found is None:
        return None
    return found.amount.minor, str(found.starts_on), str(found.ends_on)


def test_what_is_paid_ahead_is_deferred_whole() -> None:
    assert _deferred(3000, APRIL, local("2026-04-01 09:00")) == (3000, "2026-04-01", "2026-05-01")


def test_days_that_are_over_are_earned_at_once() -> None:
    assert _deferred(3000, APRIL, local("2026-04-11")) == (2000, "2026-04-11", "2026-05-01")


def test_a_credit_for_what_is_left_is_deferred_like_a_charge() -> None:
    rest = Period(local("2026-04-11"), APRIL.end)
    assert _deferred(-2000, rest, local("2026-04-11")) == (-2000, "2026-04-11", "2026-05-01")


def test_what_is_over_or_for_no_time_is_earned() -> None:
    assert _deferred(3000, APRIL, APRIL.end) is None
    assert _deferred(3000, None, APRIL.start) is None
    assert _deferred(0, APRIL, APRIL.start) is None


def test_a_part_of_a_day_is_a_day() -> None:
    hours = Period(local("2026-04-01 15:00"), local("2026-04-03 15:00"))
    assert _deferred(900, hours, local("2026-04-01 15:00")) == (900, "2026-04-01", "2026-04-04")


def test_a_third_of_a_cent_waits_until_it_is_one() -> None:
    portion = Portion(Money(10, "JPY"), date(2026, 4, 1), date(2026, 4, 4))
    assert [portion.earned_by(date(2026, 4, day)).minor for day in range(1, 6)] == [0, 3, 7, 10, 10]


@given(portions, st.lists(days, max_size=5))
def test_the_days_sum_to_the_amount_however_often_they_are_asked(
    portion: Portion, asked: list[date]
) -> None:
    stops = sorted({*asked, portion.starts_on, portion.ends_on})
    earned = [portion.earned_by(day) for day in stops]
    steps = [after - before for before, after in pairwise(earned)]

    assert portion.earned_by(portion.ends_on) == portion.amount
    assert sum(step.minor for step in steps) == portion.amount.minor
    assert all(step.minor * portion.amount.minor >= 0 for step in steps)


@given(portions, days)
def test_what_is_earned_and_what_is_left_is_the_whole(portion: Portion, day: date) -> None:
    left = portion.rest(day)
    rest = left.amount if left else Money.zero(portion.amount.currency)
    assert portion.earned_by(day) + rest == portion.amount
