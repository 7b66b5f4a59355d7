"""Billing periods: half-open, stored in UTC, counted from the anchor in the customer's zone.

Counting from the anchor and never from the previous end is what keeps 31 Jan → 28 Feb → 31 Mar.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from plans.terms import Alignment, Interval, PlanTerms

_ZONE_SHIFT: Final = timedelta(hours=26)  # from UTC-12 to UTC+14


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to, but not including, `end`; both aware, in UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

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

    def is_boundary(self, instant: datetime) -> bool:
        """Whether an interval begins there."""
        return self.nominal(instant).start == instant

    def opening(self, start: datetime, *, needs_a_day: bool) -> Span:
        """The period that something begins with: from `start` to the end of its interval.

        :param needs_a_day: whether the start day itself is not charged. Then a start on the
            interval's last local day leaves no day to bill, and the period joins the next one,
            which is charged whole.
        """
        whole = self.nominal(start)
        if self.alignment == Alignment.ANNIVERSARY and start == whole.start:
            return Span(whole, whole)
        if needs_a_day and days_between(start, whole.end, self.zone) <= 1:
            following = self.nominal(whole.end)
            return Span(Period(start, following.end), following)
        return Span(Period(start, whole.end), whole, is_short=True)

    def following(self, end: datetime) -> Span:
        """The period that starts where another ended, charged whole if that is a boundary.

        It may be none after a change of zone, which shifts boundaries by a day: then a remainder
        of less than half an interval joins the next one, so that nobody pays a month for some
        hours. Anything further off is a short period.
        """
        whole = self.nominal(end)
        if min(end - whole.start, whole.end - end) > _ZONE_SHIFT:
            return Span(Period(end, whole.end), whole, is_short=True)
        if whole.end - end < (whole.end - whole.start) / 2:
            whole = self.nominal(whole.end)
        return Span(Period(end, whole.end), whole)

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


def days_between(start: datetime, end: datetime, zone: ZoneInfo) -> int:
    """How many local midnights lie between two instants, the earlier one's own excluded."""
    return (end.astimezone(zone).date() - start.astimezone(zone).date()).days


def days_later(start: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same time of day so many local days later, in UTC, whatever the clocks do meanwhile."""
    local = start.astimezone(zone)
    return (local + timedelta(days=days)).astimezone(UTC)


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
