"""Monthly recurring revenue: what a subscription's recurring charge comes to in a month.

Coupons are left out, as are usage and minimums: it says what is sold, not what is billed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from billing.core import lifecycle, rating
from billing.core.lifecycle import SubscriptionStatus
from billing.core.money import Money, round_minor
from plans.terms import Interval, PlanTerms

# How many intervals a month has.
_A_MONTH: Final = {
    Interval.DAY: Fraction(365, 12),
    Interval.WEEK: Fraction(52, 12),
    Interval.MONTH: Fraction(1),
    Interval.YEAR: Fraction(1, 12),
}


def monthly(terms: PlanTerms, quantity: int) -> Money:
    """The recurring charge by the month, whether tax is in it or not."""
    intervals = _A_MONTH[terms.interval] / terms.interval_count
    return round_minor(rating.base(terms, quantity) * intervals, terms.currency)


def at_status(status: SubscriptionStatus, terms: PlanTerms, quantity: int) -> Money:
    """What a subscription recurs with: nothing unless it is running."""
    if status not in lifecycle.RUNNING:
        return Money.zero(terms.currency)
    return monthly(terms, quantity)
