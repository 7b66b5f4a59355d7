"""The invoices that would come, reckoned on values: nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.core import forecast, schedule
from billing.core.agreement import Agreement, SubscribedPlan
from billing.core.changes import Change, require_quantity
from billing.core.charging import Counted
from billing.core.errors import ConflictError, InvalidError
from billing.core.forecast import Foreseen
from billing.core.lifecycle import SubscriptionStatus
from billing.core.periods import Cadence, Period
from billing.core.tab import Tab
from billing.core.tax_policies import UNTAXED, Taxation
from billing.models import Subscription
from billing.queries import agreements, catalogue, usage
from plans.models import Coupon

# What is asked to be different, given the subscription as it is.
Wanted = Callable[[Agreement], Change]


@dataclass(frozen=True, slots=True)
class Supposed:
    """A subscription that there is not.

    :param started_at: when it begins, with its trial if the plan has one.
    :param period_start: with `started_at`, bills before it are left out; alone, a whole period
        is running since then, and what was charged ahead for it is paid.
    :param period_end: bills after it are left out; None for the end of the first period, or the
        first bill after the change that is wanted.
    """

    plan: SubscribedPlan
    zone: ZoneInfo
    quantity: int | None = None
    started_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    coupon: Coupon | None = None
    taxation: Taxation = UNTAXED


def of_supposed(
    supposed: Supposed, *, wanted: Wanted | None, used: Mapping[str, Decimal], now: datetime
) -> list[Foreseen]:
    """The bills of a subscription that is only supposed.

    :param used: component → what the period counts by its end.
    :raises ConflictError: if the quantity is not sold, or the change cannot be.
    :raises InvalidError: if the period ends before it starts.
    """
    terms = supposed.plan.terms
    quantity = terms.minimum_quantity if supposed.quantity is None else supposed.quantity
    require_quantity(terms, quantity)
    agreement = Agreement(
        supposed.plan, quantity, supposed.zone, status=SubscriptionStatus.INCOMPLETE
    )
    coupon = supposed.coupon
    redemptions = () if coupon is None else (agreements.supposed_redemption(coupon),)
    tab = Tab(agreement, redemptions=redemptions, taxation=supposed.taxation)
    names = catalogue.meter_names(terms.meters)
    if supposed.started_at is None and supposed.period_start is not None:
        begun = forecast.running(tab, _period(supposed, supposed.period_start))
        first: list[Foreseen] = []
    else:
        at = supposed.started_at or now
        begun, first = forecast.supposed(tab, at, trial_days=terms.trial_days)
    since = supposed.period_start or supposed.started_at or now
    bills = _bills(begun, wanted, Used(used, names, since=since), until=supposed.period_end)
    return [found for found in (*first, *bills) if found.at >= since]


def of_subscription(
    subscription: Subscription,
    *,
    wanted: Wanted | None,
    used: Mapping[str, Decimal],
    until: datetime | None = None,
) -> list[Foreseen]:
    """The bills of a subscription up to an instant; without one, to the end of its period, or to
    the first bill after the change that is wanted.

    :param used: component → what the open period counts by its end; those that are not named
        stay as counted so far.
    :raises ConflictError: if the change contradicts what is scheduled.
    """
    standing = agreements.standing(subscription)
    counted = usage.of_period(standing.period).by_component
    names = catalogue.meter_names(standing.agreement.terms.meters)
    stay = standing.agreement.stay
    since = stay.period.start if stay else subscription.created_at
    return _bills(
        standing.tab,
        wanted,
        Used({**counted, **used}, names, since=since),
        until=until,
        pending=tuple(standing.changes),
    )


@dataclass(slots=True)
class Used:
    """Usage that is given once: to the period that holds `since`, and none after it."""

    totals: Mapping[str, Decimal]
    names: Mapping[str, str]
    since: datetime
    is_spent: bool = field(default=False)

    def __call__(self, agreement: Agreement) -> Counted:
        """What the open period of an agreement counts."""
        stay = agreement.stay
        is_it = stay is not None and not stay.is_trial and self.since < stay.period.end
        if self.is_spent or not is_it:
            return Counted({}, self.names)
        self.is_spent = True
        return Counted(self.totals, self.names)


def _bills(
    tab: Tab,
    wanted: Wanted | None,
    used: Used,
    *,
    until: datetime | None,
    pending: tuple[Change, ...] = (),
) -> list[Foreseen]:
    """The bills up to an instant; without one, to the first that knows of the change."""
    stay = tab.agreement.stay
    horizon = until or (stay.period.end if stay else used.since)
    changes_at = None
    if wanted is not None:
        change = wanted(tab.agreement)
        _require_possible(tab.agreement, pending, change)
        pending = tuple(sorted((*pending, change), key=lambda change: change.at))
        horizon, changes_at = max(horizon, change.at), change.at
    found = []
    for foreseen in forecast.foresee(tab, until=horizon, usage=used, pending=pending):
        found.append(foreseen)
        if until is None and changes_at is not None and foreseen.at >= changes_at:
            break
    return found


def _require_possible(agreement: Agreement, pending: Sequence[Change], change: Change) -> None:
    known = schedule.conflicts(agreement, pending)
    for conflict in schedule.conflicts(agreement, [*pending, change], known=known):
        raise ConflictError(conflict.detail, code=conflict.code)


def _period(supposed: Supposed, start: datetime) -> Period:
    cadence = Cadence.of(supposed.plan.terms, anchor=start, zone=supposed.zone)
    end = supposed.period_end or cadence.nominal(start).end
    if end <= start:
        raise InvalidError(
            "The period ends before it starts.",
            code="invalid_period",
            errors={"period_end": ["After period_start."]},
        )
    return Period(start, end)
