"""Revenue that is invoiced before it is earned: day by day, exact to the cent.

Days are those of UTC. What is earned by a day is the amount times the days gone over all days,
rounded; what a day earns is the difference to the day before, so all days sum to the amount.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from billing.core.money import Money, round_half_away
from billing.core.periods import Period


@dataclass(frozen=True, slots=True)
class Portion:
    """An amount that is earned evenly from a day up to, but without, another.

    :param amount: negative for what is given back.
    """

    amount: Money
    starts_on: date
    ends_on: date

    def earned_by(self, day: date) -> Money:
        """What is earned by the days before that day."""
        whole = (self.ends_on - self.starts_on).days
        gone = min(max((day - self.starts_on).days, 0), whole)
        return Money(
            round_half_away(Fraction(self.amount.minor * gone, whole)), self.amount.currency
        )

    def rest(self, day: date) -> Portion | None:
        """What is still to be earned from that day on; None where that is nothing."""
        left = self.amount - self.earned_by(day)
        if not left or day >= self.ends_on:
            return None
        return Portion(left, max(self.starts_on, day), self.ends_on)


def deferred(net: Money, period: Period | None, *, at: datetime) -> Portion | None:
    """What of a line is still to be earned when its invoice is written.

    :param net: without tax; negative for a credit.
    :param period: what the line is for. What has no period, or one that is over, is earned.
    """
    if period is None or period.end <= at:
        return None
    last = period.end - timedelta(microseconds=1)
    whole = Portion(net, period.start.date(), last.date() + timedelta(days=1))
    return whole.rest(at.date()) if net else None
