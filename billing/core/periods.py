"""Billing periods: half-open, stored in UTC, counted from the anchor in the customer's zone.

Counting from the anchor and never from the previous end is what keeps 31 Jan → 28 Feb → 31 Mar.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from plans.terms import Alignment, Interval, PlanTerms


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to, but not including, `end`; both aware, in UTC."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True)
class Span:
    """A period to bill, and the whole interval it is a part of (itself, when it is whole)."""

    period: Period
    nominal: Period
    is_short: bool = False


@dataclass(frozen=True, slots=True)
class Cadence:
    """How periods follow each other for one subscription."""

    anchor: datetime
    interval: Interval
    interval_count: int
    alignment: Alignment
    zone: ZoneInfo

    @classmethod
    def of(cls, terms: PlanTerms, *, anchor: datetime, zone: ZoneInfo) -> Cadence:
        """The cadence of a plan's terms, counted from an anchor in a customer's zone."""
        return cls(anchor, terms.interval, terms.interval_count, terms.alignment, zone)

    def boundary(self, index: int) -> datetime:
        """The `index`-th boundary in UTC; 0 is the anchor, or the start of its calendar unit."""
        origin = self._origin()
        day = _shift(origin.date(), self.interval, self.interval_count * index)
        local = datetime.combine(day, origin.time(), tzinfo=self.zone)
        return local.astimezone(UTC)

    def nominal(self, instant: datetime) -> Period:
        """The whole interval that holds `instant`."""
        index = self._index(instant)
        return Period(self.boundary(index), self.boundary(index + 1))

    def first(self, *, needs_a_day: bool) -> Span:
        """The first period: from the anchor to the end of the interval it falls in.

        :param needs_a_day: whether the start day itself is not charged. Then an anchor on the
            interval's last local day leaves no day to bill, and the period joins the next one,
            which is charged whole.
        """
        whole = self.nominal(self.anchor)
        if self.alignment == Alignment.ANNIVERSARY:
            return Span(whole, whole)
        if needs_a_day and self.days(Period(self.anchor, whole.end)) <= 1:
            following = self.nominal(whole.end)
            return Span(Period(self.anchor, following.end), following)
        return Span(Period(self.anchor, whole.end), whole, is_short=True)

    def following(self, end: datetime) -> Span:
        """The period that starts where another ended, charged whole.

        That is a boundary, unless the zone was changed meanwhile. Then a remainder of less than
        half an interval joins the next one, so that nobody pays a month for some hours.
        """
        whole = self.nominal(end)
        if whole.end - end < (whole.end - whole.start) / 2:
            whole = self.nominal(whole.end)
        return Span(Period(end, whole.end), whole)

    def days(self, period: Period) -> int:
        """How many local calendar days the period touches."""
        start = period.start.astimezone(self.zone).date()
        last = (period.end - timedelta(microseconds=1)).astimezone(self.zone).date()
        return (last - start).days + 1

    def _origin(self) -> datetime:
        local = self.anchor.astimezone(self.zone)
        if self.alignment == Alignment.ANNIVERSARY:
            return local
        return datetime.combine(_unit_start(local.date(), self.interval), time.min)

    def _index(self, instant: datetime) -> int:
        origin = self._origin().date()
        local = instant.astimezone(self.zone).date()
        index = _distance(origin, local, self.interval) // self.interval_count - 1
        while self.boundary(index + 1) <= instant:
            index += 1
        return index


def _shift(day: date, interval: Interval, count: int) -> date:
    if interval == Interval.DAY:
        return day + timedelta(days=count)
    if interval == Interval.WEEK:
        return day + timedelta(weeks=count)
    months = count * 12 if interval == Interval.YEAR else count
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _distance(origin: date, day: date, interval: Interval) -> int:
    if interval == Interval.DAY:
        return (day - origin).days
    if interval == Interval.WEEK:
        return (day - origin).days // 7
    months = (day.year - origin.year) * 12 + day.month - origin.month
    return months // 12 if interval == Interval.YEAR else months


def _unit_start(day: date, interval: Interval) -> date:
    if interval == Interval.WEEK:
        return day - timedelta(days=day.weekday())
    if interval == Interval.MONTH:
        return day.replace(day=1)
    if interval == Interval.YEAR:
        return day.replace(month=1, day=1)
    return day
