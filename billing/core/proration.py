"""How much of a whole interval a period is, and how it is split where something changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Final, Self
from zoneinfo import ZoneInfo

from billing.core.money import Money, round_minor
from billing.core.periods import Cadence, Period, Span, days_between
from plans.terms import Interval, PlanTerms, Proration

_MONTH: Final = 30
_MONTHS: Final = {Interval.MONTH: 1, Interval.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Share:
    """`used` of `whole` days or seconds. Kept as two integers, because people check it."""

    used: int
    whole: int
    unit: str = "days"

    @property
    def fraction(self) -> Fraction:
        """The share as an exact number from 0 to 1."""
        return Fraction(self.used, self.whole)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is to be prorated."""
        return self.used == self.whole

    def __str__(self) -> str:
        return f"{self.used}/{self.whole} {self.unit}"


WHOLE: Final = Share(1, 1, "period")


@dataclass(frozen=True, slots=True)
class Ruler:
    """What a plan measures time by, in a customer's zone."""

    proration: Proration
    first_day_counts: bool
    interval: Interval
    interval_count: int
    zone: ZoneInfo

    @classmethod
    def of(cls, terms: PlanTerms, zone: ZoneInfo) -> Self:
        """The ruler of a plan's terms."""
        return cls(
            terms.proration, terms.first_day_counts, terms.interval, terms.interval_count, zone
        )

    @property
    def needs_a_day(self) -> bool:
        """Whether a period that begins on its last day has nothing to charge."""
        return self._counts_days and not self.first_day_counts

    def share_of(self, span: Span) -> Share:
        """How much of its whole interval a span is charged for.

        Seed 003's formula is `DAY` without the first day: (last day of month - start day) of the
        days of the month, which holds for any start in the month, its first day included. A span
        that is longer than the interval is charged as a whole one.
        """
        if self.proration == Proration.NONE:
            return WHOLE
        whole = self._whole(span.nominal)
        used = self._rest(span.period.start, span.period.end) if span.is_short else whole
        if span.period.length > span.nominal.length:
            return Share(max(used, whole), max(used, whole), self._unit)
        return Share(min(used, whole), whole, self._unit)

    def rest_of(self, share: Share, end: datetime, *, at: datetime) -> Share:
        """What is left at an instant of a period that ends at `end`.

        The day of the change belongs to what follows where the first day counts, and else to
        what was before. With no proration nothing is ever left. Used and left are complements.
        """
        if share.unit == WHOLE.unit:
            return Share(0, share.whole, share.unit)
        rest = min(max(self._rest(at, end), 0), share.used)
        return Share(rest, share.whole, share.unit)

    @property
    def _counts_days(self) -> bool:
        return self.proration in {Proration.DAY, Proration.FIXED_30}

    @property
    def _unit(self) -> str:
        return "seconds" if self.proration == Proration.SECOND else "days"

    def _whole(self, nominal: Period) -> int:
        if self.proration == Proration.FIXED_30 and self.interval in _MONTHS:
            return _MONTH * _MONTHS[self.interval] * self.interval_count
        return self._length(nominal.start, nominal.end)

    def _rest(self, start: datetime, end: datetime) -> int:
        is_uncharged = self._counts_days and not self.first_day_counts
        return self._length(start, end) - (1 if is_uncharged else 0)

    def _length(self, start: datetime, end: datetime) -> int:
        if self.proration == Proration.SECOND:
            return int((end - start).total_seconds())
        if self.proration == Proration.FIXED_30 and self.interval in _MONTHS:
            return _as_months_of_30(start, end, self.zone)
        return days_between(start, end, self.zone)


def opening(
    terms: PlanTerms, cadence: Cadence, start: datetime, *, first_day_counts: bool | None = None
) -> tuple[Span, Share]:
    """The period that these terms begin with at an instant, and how much of a whole it is.

    :param first_day_counts: as another plan has it, whose period ends there: whose the day of the
        change is, one of the two must say for both. None for these terms' own.
    """
    ruler = Ruler.of(terms, cadence.zone)
    if first_day_counts is not None:
        ruler = replace(ruler, first_day_counts=first_day_counts)
    span = cadence.opening(start, needs_a_day=ruler.needs_a_day)
    return span, ruler.share_of(span)


def unused(amount: Money, *, paid: Share, rest: Share) -> Money:
    """The part of an amount, paid for one share, that belongs to the rest of it.

    Only this side is rounded and the used part is the complement, so that used + unused is what
    was paid.
    """
    if not paid.used:
        return Money.zero(amount.currency)
    return round_minor(Fraction(amount.major) * Fraction(rest.used, paid.used), amount.currency)


def _as_months_of_30(start: datetime, end: datetime, zone: ZoneInfo) -> int:
    """Days between two local dates where every month counts 30 (as Kill Bill counts them)."""
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    months = (last.year - first.year) * 12 + last.month - first.month
    return months * _MONTH + last.day - first.day
