"""Rows → core's values: a subscription with its period, its changes, and what is on its tab."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Exists, Max, OuterRef

from billing.core import schedule
from billing.core.agreement import Advance, Agreement, Stay, SubscribedPlan
from billing.core.changes import Act, Change
from billing.core.discounts import Coupon as CouponValue
from billing.core.discounts import Redemption as RedemptionValue
from billing.core.invoicing import Line, LineKind
from billing.core.lifecycle import SubscriptionStatus
from billing.core.money import Money
from billing.core.periods import Period
from billing.core.proration import Share
from billing.core.schedule import Step
from billing.core.tab import Tab
from billing.core.tax_policies import Taxation
from billing.models import (
    BillingPeriod,
    InvoiceLine,
    Redemption,
    ScheduledChange,
    Seller,
    Subscription,
)
from billing.models.subscription import PeriodKind, SubscriptionQuerySet
from billing.queries import sellers, taxes
from customers.models import Customer
from plans.models import Coupon, Plan, PlanVersion
from plans.terms import ChangeCharge

_Row = TypeVar("_Row")
_HAS_MORE: Final = "has_more"
_PAUSED: Final = SubscriptionStatus.PAUSED
_NOTHING: Final[tuple[dict[UUID, Any], ...]] = ({}, {}, {})


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription's tab, beside the rows it was read from.

    :param issuer: who writes its invoices; None before there is any seller.
    :param period: the open one; None while none is.
    :param waiting: the rows of the tab's waiting lines, in the same order.
    :param pending: scheduled changes in order, as rows.
    """

    subscription: Subscription
    tab: Tab
    issuer: Seller | None
    period: BillingPeriod | None
    waiting: Sequence[InvoiceLine]
    redemptions: Sequence[Redemption]
    pending: Sequence[ScheduledChange]

    @property
    def agreement(self) -> Agreement:
        """The subscription as it is now."""
        return self.tab.agreement

    @property
    def changes(self) -> list[Change]:
        """The scheduled changes as values."""
        return [self.change(row) for row in self.pending]

    def change(self, row: ScheduledChange) -> Change:
        """One of its changes as a value."""
        return change_of(row, self.subscription.customer.organization_id)


def standings(
    subscriptions: Sequence[Subscription], *, open_periods: Sequence[BillingPeriod] | None = None
) -> list[Standing]:
    """Everything about each subscription, in the same order and in a fixed number of reads.

    Their customers and plan versions must be at hand.

    :param open_periods: the periods that are open, where the caller has them already.
    """
    ids = [row.pk for row in subscriptions]
    if open_periods is None:
        open_periods = list(BillingPeriod.objects.filter(subscription__in=ids, closed_at=None))
    periods = {row.subscription_id: row for row in open_periods}
    settled = _settled_until([row.pk for row in subscriptions if row.status == _PAUSED])
    busy = [row for row in subscriptions if getattr(row, _HAS_MORE, True)]
    waiting, redemptions, pending = _more(busy) if busy else _NOTHING
    customers = [row.customer for row in subscriptions]
    issuers = sellers.of_customers([customer.pk for customer in customers])
    taxations = taxes.taxations(customers, issuers)
    return [
        Standing(
            subscription=row,
            tab=_tab(
                row,
                periods.get(row.pk),
                waiting.get(row.customer_id, ()),
                redemptions.get(row.pk, ()),
                settled_until=settled.get(row.pk),
                taxation=taxations[row.customer_id],
            ),
            issuer=issuers.get(row.customer_id),
            period=periods.get(row.pk),
            waiting=[line for line in waiting.get(row.customer_id, ()) if _fits(line, row)],
            redemptions=redemptions.get(row.pk, ()),
            pending=pending.get(row.pk, ()),
        )
        for row in subscriptions
    ]


def standing(subscription: Subscription, *, period: BillingPeriod | None = None) -> Standing:
    """Everything about one.

    :param period: its open period, where the caller has it already.
    """
    known = None if period is None or period.closed_at else [period]
    return standings([subscription], open_periods=known)[0]


def noting_more(rows: SubscriptionQuerySet) -> SubscriptionQuerySet:
    """Subscriptions that know whether anything waits, is redeemed or scheduled.

    Most have nothing of it, and their `standing` then costs no reads for that.
    """
    mine = {"subscription": OuterRef("pk")}
    return rows.annotate(
        **{
            _HAS_MORE: Exists(InvoiceLine.objects.waiting().filter(customer=OuterRef("customer")))
            | Exists(Redemption.objects.filter(**mine))
            | Exists(ScheduledChange.objects.pending().filter(**mine))
        }
    )


def newest(customer: Customer) -> Subscription | None:
    """A customer's newest subscription: the live one, where there is one."""
    rows = noting_more(Subscription.objects.readable()).filter(customer=customer)
    return rows.order_by("-created_at").first()


def timeline(subscription: Subscription) -> list[tuple[Step, ScheduledChange]]:
    """What is still to come of a subscription, in order, each beside its row."""
    found = standing(subscription)
    steps = schedule.timeline(found.agreement, found.changes)
    return list(zip(steps, found.pending, strict=True))


def plan_of(
    version: PlanVersion, *, name: str = "", organization_id: str | None = None
) -> SubscribedPlan:
    """A version of a plan; on sale where that organization may subscribe to it.

    :param name: as it was called when it was subscribed to.
    """
    plan = version.plan
    return SubscribedPlan(
        plan=str(plan.pk),
        version=str(version.pk),
        name=name or plan.name,
        terms=version.parsed,
        tier=plan.tier,
        is_on_sale=_is_on_sale(plan, organization_id),
    )


def agreement_of(
    subscription: Subscription,
    period: BillingPeriod | None,
    *,
    settled_until: datetime | None = None,
) -> Agreement:
    """A subscription in its open period."""
    return Agreement(
        plan=plan_of(subscription.plan_version, name=subscription.plan_name),
        quantity=subscription.quantity,
        zone=subscription.customer.zone,
        status=SubscriptionStatus(subscription.status),
        anchor=subscription.billing_anchor,
        trial_end=subscription.trial_end,
        stay=None if period is None else stay_of(period, subscription.plan_terms.currency),
        settled_until=settled_until,
    )


def stay_of(period: BillingPeriod, currency: str) -> Stay:
    """A billing period as a value."""
    advance = None
    if period.advance_gross_minor is not None:
        share = Share(period.advance_used or 0, period.share_whole, period.share_unit)
        advance = Advance(
            Money(period.advance_gross_minor, currency),
            Money(period.advance_net_minor or 0, currency),
            share,
        )
    return Stay(
        period=period.period,
        share=period.share,
        charged_until=period.charged_until,
        recurring=Money(period.recurring_minor, currency),
        advance=advance,
        is_trial=period.kind == PeriodKind.TRIAL,
    )


def change_of(row: ScheduledChange, organization_id: str | None) -> Change:
    """A scheduled change as a value."""
    version = row.plan_version
    return Change(
        at=row.due_at,
        plan=None if version is None else plan_of(version, organization_id=organization_id),
        quantity=row.quantity,
        anchor=row.billing_anchor,
        act=Act(row.act) if row.act else None,
        coupon=None if row.coupon is None else supposed_redemption(row.coupon),
        charge=ChangeCharge(row.charge) if row.charge else None,
        is_at_period_end=row.is_at_period_end,
    )


def coupon_of(coupon: Coupon) -> CouponValue:
    """A coupon as a value."""
    amount = None
    if coupon.amount_off is not None:
        amount = Money.parse(coupon.amount_off, coupon.currency)
    return CouponValue(
        code=coupon.code,
        percent=coupon.percent_off,
        amount=amount,
        plans=frozenset(str(plan_id) for plan_id in coupon.plan_ids),
    )


def periods_of(coupon: Coupon) -> int | None:
    """For how many periods a coupon holds when it is redeemed; None for ever."""
    if coupon.duration == Coupon.Duration.ONCE:
        return 1
    return coupon.periods


def supposed_redemption(coupon: Coupon) -> RedemptionValue:
    """A coupon as it will be at work once it is redeemed."""
    return RedemptionValue(coupon.pk, coupon_of(coupon), periods_of(coupon))


def redemption_of(row: Redemption) -> RedemptionValue:
    """A coupon at work as a value."""
    return RedemptionValue(row.pk, coupon_of(row.coupon), row.periods_left, row.covers_until)


def line_of(row: InvoiceLine) -> Line:
    """A line that waits, as a value; its tiers stay with the row."""
    period = None
    if row.period_start is not None and row.period_end is not None:
        period = Period(row.period_start, row.period_end)
    return Line(
        kind=LineKind(row.kind),
        description=row.description,
        quantity=Fraction(row.quantity),
        unit_amount=row.unit_amount,
        amount=row.amount,
        explanation=row.explanation,
        period=period,
        meter=row.meter,
        component=row.component,
        share=row.share,
        plan="" if row.plan_id is None else str(row.plan_id),
        discount_minor=row.discount_minor,
        discount_rate=row.discount_rate,
        tax_class=row.tax_class,
        is_tax_included=row.is_tax_included,
    )


def _more(subscriptions: Sequence[Subscription]) -> tuple[dict[UUID, Any], ...]:
    """Waiting lines by customer; coupons at work and pending changes by subscription."""
    ids = [row.pk for row in subscriptions]
    customers = [row.customer_id for row in subscriptions]
    redemptions = Redemption.objects.filter(subscription__in=ids).select_related("coupon")
    pending = ScheduledChange.objects.pending().filter(subscription__in=ids)
    return (
        _grouped(InvoiceLine.objects.waiting().filter(customer__in=customers), "customer_id"),
        _grouped(redemptions.order_by("created_at", "pk"), "subscription_id"),
        _grouped(pending.select_related("plan_version__plan", "coupon"), "subscription_id"),
    )


def _tab(
    subscription: Subscription,
    period: BillingPeriod | None,
    waiting: Sequence[InvoiceLine],
    redemptions: Sequence[Redemption],
    *,
    settled_until: datetime | None,
    taxation: Taxation,
) -> Tab:
    return Tab(
        agreement_of(subscription, period, settled_until=settled_until),
        waiting=tuple(line_of(row) for row in waiting if _fits(row, subscription)),
        redemptions=tuple(redemption_of(row) for row in redemptions),
        taxation=taxation,
    )


def _settled_until(paused: Sequence[UUID]) -> dict[UUID, datetime]:
    """Paused subscription → up to where its recurring charge is settled."""
    if not paused:
        return {}
    rows = BillingPeriod.objects.filter(subscription__in=paused)
    return dict(rows.values_list("subscription").annotate(Max("charged_until")).order_by())


def _fits(line: InvoiceLine, subscription: Subscription) -> bool:
    return line.currency == subscription.plan_terms.currency


def _is_on_sale(plan: Plan, organization_id: str | None) -> bool:
    allowed = plan.allowed_organizations or []
    is_open = plan.is_public or organization_id in allowed
    return is_open and not plan.is_disabled and plan.retired_at is None


def _grouped(rows: Iterable[_Row], name: str) -> defaultdict[UUID, list[_Row]]:
    found: defaultdict[UUID, list[_Row]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found
