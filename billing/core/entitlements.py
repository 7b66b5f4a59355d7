"""Subscription and usage → what a customer may do, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from typing import Final

from billing.core import dunning, figures, rating
from billing.core.dunning import DunningPolicy
from billing.core.exporting.values import instant
from billing.core.lifecycle import SubscriptionStatus
from billing.core.proration import Share
from plans.prices import Price
from plans.terms import PlanTerms

# The kinds of facts that may change what a customer may do. Counting marks for itself.
MOVING: Final = frozenset(
    {
        "CREDIT_EXPIRED",
        "CREDIT_GRANTED",
        "CREDIT_SOLD",
        "CREDIT_VOIDED",
        "PREPAID_USAGE_DRAWN",
        "PREPAID_USAGE_RETURNED",
        "SUBSCRIPTION_ACTIVATED",
        "SUBSCRIPTION_CANCELED",
        "SUBSCRIPTION_CHANGED",
        "SUBSCRIPTION_FELL_PAST_DUE",
        "SUBSCRIPTION_PAUSED",
        "SUBSCRIPTION_RECOVERED",
        "SUBSCRIPTION_RESUMED",
        "SUBSCRIPTION_STARTED",
        "TRIAL_ENDED_WITHOUT_PAYMENT_METHOD",
        "TRIAL_END_MOVED",
        "TRIAL_STARTED",
    }
)


class Reason(StrEnum):
    """Why something is granted or not."""

    TRIAL = "trial"
    SUBSCRIBED = "subscribed"
    GRACE_PERIOD = "grace_period"
    NO_SUBSCRIPTION = "no_subscription"
    PAYMENT_METHOD_REQUIRED = "payment_method_required"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"
    NOT_IN_PLAN = "not_in_plan"
    LIMIT_REACHED = "limit_reached"
    ABOVE_ALLOWANCE = "above_allowance"
    CREDIT_EXHAUSTED = "credit_exhausted"
    UNKNOWN_CUSTOMER = "unknown_customer"


@dataclass(frozen=True, slots=True)
class Access:
    """Whether the service may be used at all."""

    is_granted: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a subscription at an instant.

    :param past_due_at: the first decline that is still unpaid.
    :param is_exhausted: whether usage is prepaid and no credit is left for any more of it.
    """

    status: SubscriptionStatus
    terms: PlanTerms
    share: Share
    trial_end: datetime | None = None
    period_end: datetime | None = None
    past_due_at: datetime | None = None
    is_exhausted: bool = False


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One feature's answer. `limit`, `used` and `remaining` are None where nothing is counted."""

    feature: str
    is_granted: bool
    reason: Reason
    limit: Fraction | None = None
    used: Decimal | None = None
    resets_at: datetime | None = None

    @property
    def remaining(self) -> Fraction | None:
        """What is left of the limit; never negative."""
        if self.limit is None or self.used is None:
            return None
        return max(self.limit - Fraction(self.used), Fraction(0))


def access(standing: Standing | None, *, policy: DunningPolicy, now: datetime) -> Access:
    """Whether the service may be used: with a running trial or a subscription in good standing.

    A trial that is over grants nothing, whether or not the cycle has run since.
    """
    if standing is None:
        return Access(is_granted=False, reason=Reason.NO_SUBSCRIPTION)
    status = standing.status
    if status == SubscriptionStatus.TRIALING:
        return _trial(standing.trial_end, now)
    if status == SubscriptionStatus.PAST_DUE and standing.past_due_at is not None:
        if dunning.has_grace(policy, past_due_at=standing.past_due_at, now=now):
            return Access(is_granted=True, reason=Reason.GRACE_PERIOD)
        return Access(is_granted=False, reason=Reason.PAST_DUE)
    if status in {SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE}:
        return Access(is_granted=True, reason=Reason.SUBSCRIBED)
    return Access(is_granted=False, reason=_REFUSALS[status])


def check(
    feature: str,
    standing: Standing | None,
    *,
    used: Decimal,
    policy: DunningPolicy,
    now: datetime,
) -> Entitlement:
    """Whether one feature or meter may be used now.

    A limit of that name is a wall; an allowance is not, for what is above it is charged. What is
    prepaid ends with the credit.

    :param used: the period's total of the meter of that name; zero where there is none.
    """
    overall = access(standing, policy=policy, now=now)
    if standing is None or not overall.is_granted:
        return Entitlement(feature, is_granted=False, reason=overall.reason)
    if standing.is_exhausted and _price(standing.terms, feature) is not None:
        return Entitlement(
            feature,
            is_granted=False,
            reason=Reason.CREDIT_EXHAUSTED,
            limit=bound(standing.terms, feature, standing.share),
            used=used,
            resets_at=None,
        )
    limit = _wall(standing.terms, feature)
    if limit is not None:
        within = Fraction(used) < limit
        reason = overall.reason if within else Reason.LIMIT_REACHED
        return Entitlement(feature, within, reason, limit, used, standing.period_end)
    price = _price(standing.terms, feature)
    if price is not None:
        included = rating.allowance(price, standing.share)
        is_above = included is not None and Fraction(used) > included
        reason = Reason.ABOVE_ALLOWANCE if is_above else overall.reason
        return Entitlement(
            feature,
            is_granted=True,
            reason=reason,
            limit=included,
            used=used,
            resets_at=standing.period_end,
        )
    if standing.terms.features.get(feature):
        return Entitlement(feature, is_granted=True, reason=overall.reason)
    return Entitlement(feature, is_granted=False, reason=Reason.NOT_IN_PLAN)


def said(entitlement: Entitlement) -> dict[str, bool | str | None]:
    """What is told of it to the world: quantities as decimal strings, the instant in UTC.

    Exact shares are cut after 12 decimals: never more than there is.
    """
    limit, remaining, used = entitlement.limit, entitlement.remaining, entitlement.used
    return {
        "granted": entitlement.is_granted,
        "reason": entitlement.reason.value,
        "limit": None if limit is None else figures.cut(limit),
        "used": None if used is None else figures.plain(used),
        "remaining": None if remaining is None else figures.cut(remaining),
        "resets_at": instant(entitlement.resets_at) if entitlement.resets_at else None,
    }


def next_change(standing: Standing, *, policy: DunningPolicy, now: datetime) -> datetime | None:
    """When time alone may change some answer; None if it never does."""
    status, past_due_at = standing.status, standing.past_due_at
    instants = [
        standing.trial_end if status == SubscriptionStatus.TRIALING else None,
        dunning.grace_ends(policy, past_due_at)
        if status == SubscriptionStatus.PAST_DUE and past_due_at
        else None,
        standing.period_end if standing.terms.counted else None,
    ]
    return min((at for at in instants if at is not None and at > now), default=None)


def bound(terms: PlanTerms, name: str, share: Share) -> Fraction | None:
    """Where a meter ends in a period, or what is free of it; None where neither is so."""
    wall = _wall(terms, name)
    if wall is not None:
        return wall
    price = _price(terms, name)
    return None if price is None else rating.allowance(price, share)


def names(terms: PlanTerms) -> list[str]:
    """Everything the terms speak of: features, limits and meters, each once, in that order."""
    return list(dict.fromkeys([*terms.features, *terms.limits, *terms.meters]))


def _trial(trial_end: datetime | None, now: datetime) -> Access:
    if trial_end is not None and now < trial_end:
        return Access(is_granted=True, reason=Reason.TRIAL)
    return Access(is_granted=False, reason=Reason.PAYMENT_METHOD_REQUIRED)


def _price(terms: PlanTerms, meter: str) -> Price | None:
    return next((usage.price for usage in terms.usage if usage.meter == meter), None)


def _wall(terms: PlanTerms, feature: str) -> Fraction | None:
    """The limit of that name as a number; a limit that is no number is for the caller to read."""
    try:
        return Fraction(Decimal(terms.limits[feature]))
    except (KeyError, InvalidOperation, ValueError):
        return None


_REFUSALS = {
    SubscriptionStatus.INCOMPLETE: Reason.PAYMENT_METHOD_REQUIRED,
    SubscriptionStatus.PAUSED: Reason.PAUSED,
    SubscriptionStatus.CANCELED: Reason.CANCELED,
}
