"""How much of a whole period a period is, and the split of a price at that share."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from billing.core.money import Money, round_minor
from billing.core.periods import Cadence, Period, Span
from plans.terms import PlanTerms, Proration


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


def _counts_days(proration: Proration) -> bool:
    """Whether a short period is measured in days."""
    return proration in {Proration.DAY, Proration.FIXED_30}


WHOLE = Share(1, 1, "period")


def first_period(terms: PlanTerms, cadence: Cadence) -> tuple[Span, Share]:
    """The first period of these terms, and how much of the whole it is charged for."""
    span = cadence.first(needs_a_day=_counts_days(terms.proration) and not terms.first_day_counts)
    return span, share_of(
        span, cadence, proration=terms.proration, first_day_counts=terms.first_day_counts
    )


def share_of(
    span: Span, cadence: Cadence, *, proration: Proration, first_day_counts: bool
) -> Share:
    """How much of its whole interval a span is charged for.

    Seed 003's formula is `DAY` without the first day: (last day of month - start day) of the
    days of the month, which holds for any start in the month, its first day included.
    """
    if not span.is_short or proration == Proration.NONE:
        return WHOLE
    if proration == Proration.SECOND:
        return Share(_seconds(span.period), _seconds(span.nominal), "seconds")
    whole = 30 if proration == Proration.FIXED_30 else cadence.days(span.nominal)
    days = cadence.days(span.period) - (0 if first_day_counts else 1)
    return Share(min(days, whole), whole)


def split(price: Money, share: Share) -> tuple[Money, Money]:
    """Split a whole period's price into (used, unused).

    Only one side is rounded and the other is the complement, so used + unused == price.
    """
    used = round_minor(Fraction(price.major) * share.fraction, price.currency)
    return used, price - used


def _seconds(period: Period) -> int:
    return int((period.end - period.start).total_seconds())
