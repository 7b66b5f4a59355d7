"""A subscription as a value: what is subscribed to, since when, and the period it is in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from billing.core import lifecycle, rating
from billing.core.lifecycle import SubscriptionStatus
from billing.core.money import Money
from billing.core.periods import Cadence, Period
from billing.core.proration import Ruler, Share
from plans.terms import Interval, PlanTerms

_A_YEAR: Final = {
    Interval.DAY: Fraction(365),
    Interval.WEEK: Fraction(365, 7),
    Interval.MONTH: Fraction(12),
    Interval.YEAR: Fraction(1),
}


@dataclass(frozen=True, slots=True)
class SubscribedPlan:
    """One version of a plan, as far as a bill depends on it.

    :param plan: the plan's id; `version` the version's.
    :param is_on_sale: whether it may be changed to now.
    """

    plan: str
    version: str
    name: str
    terms: PlanTerms
    tier: int = 0
    is_on_sale: bool = True


@dataclass(frozen=True, slots=True)
class Advance:
    """A recurring charge that was billed in advance, up to the end of the period.

    :param gross: before discounts; `net` is what was paid.
    """

    gross: Money
    net: Money
    share: Share


@dataclass(frozen=True, slots=True)
class Stay:
    """A plan's stay within one billing interval: an open billing period.

    :param share: of a whole interval, for allowances and the minimum.
    :param charged_until: up to where the recurring charge is settled; its start where nothing is.
    :param advance: the charge in advance that is still at work.
    :param recurring: recurring charges so far, before discounts and less what was unused.
    """

    period: Period
    share: Share
    charged_until: datetime
    recurring: Money
    advance: Advance | None = None
    is_trial: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """A subscription at an instant.

    :param anchor: what periods are counted from; None before billing has begun.
    :param stay: the open period; None while paused, waiting or over.
    :param settled_until: of a paused one, up to where the recurring charge was paid for all that.
    """

    plan: SubscribedPlan
    quantity: int
    zone: ZoneInfo
    status: SubscriptionStatus
    anchor: datetime | None = None
    trial_end: datetime | None = None
    stay: Stay | None = None
    settled_until: datetime | None = None

    @property
    def terms(self) -> PlanTerms:
        """What it is billed by."""
        return self.plan.terms

    @property
    def open_stay(self) -> Stay:
        """The period that is open.

        :raises ValueError: if none is.
        """
        if self.stay is None:
            raise ValueError("No period is open.")
        return self.stay

    @property
    def ruler(self) -> Ruler:
        """What its periods are measured by."""
        return Ruler.of(self.terms, self.zone)

    @property
    def cadence(self) -> Cadence:
        """How its periods follow each other.

        :raises ValueError: before billing has begun.
        """
        if self.anchor is None:
            raise ValueError("A subscription that has not begun has no cadence.")
        return Cadence.of(self.terms, anchor=self.anchor, zone=self.zone)

    @property
    def rank(self) -> tuple[int, Fraction]:
        """What makes one agreement an upgrade of another: the tier, then what a year costs."""
        a_year = _A_YEAR[self.terms.interval] / self.terms.interval_count
        return self.plan.tier, rating.base(self.terms, self.quantity) * a_year

    def on(self, plan: SubscribedPlan) -> Agreement:
        """The same on another plan."""
        return replace(self, plan=plan)

    def step(self, name: str) -> Agreement:
        """After a step of the state table.

        :raises ConflictError: if it is forbidden now.
        """
        after = lifecycle.SUBSCRIPTION.after(self.status, name)
        return replace(self, status=SubscriptionStatus(after))
