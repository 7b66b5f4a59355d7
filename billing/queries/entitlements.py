"""What a customer may do now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from billing.core import entitlements
from billing.core.entitlements import Access, Entitlement, Standing
from billing.core.lifecycle import SubscriptionStatus
from billing.core.proration import WHOLE
from billing.models import BillingPeriod, Subscription
from billing.queries import agreements, usage
from billing.queries.usage import PeriodUsage
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Rights:
    """Everything about a customer's rights at one instant.

    :param period: the period that holds the instant; None while none does.
    :param usage: what was counted in that period.
    """

    access: Access
    entitlements: list[Entitlement]
    subscription: Subscription | None
    period: BillingPeriod | None
    usage: PeriodUsage


def of(customer: Customer, *, now: datetime) -> Rights:
    """All entitlements of a customer, in the order of their plan."""
    present = customer.lives_at(now)
    subscription = _newest(customer)
    period = _period_at(subscription, present)
    used = usage.of_period(period)
    standing = _standing(subscription, period)
    names = entitlements.names(standing.terms) if standing else []
    return Rights(
        access=entitlements.access(standing, policy=settings.DUNNING_POLICY, now=present),
        entitlements=[_check(name, standing, used, present) for name in names],
        subscription=subscription,
        period=period,
        usage=used,
    )


def check(customer: Customer, feature: str, *, now: datetime) -> Entitlement:
    """One feature's or meter's answer; what no plan knows is not granted."""
    present = customer.lives_at(now)
    subscription = _newest(customer)
    period = _period_at(subscription, present)
    return _check(feature, _standing(subscription, period), usage.of_period(period), present)


def _check(
    feature: str, standing: Standing | None, counted: PeriodUsage, present: datetime
) -> Entitlement:
    return entitlements.check(
        feature,
        standing,
        used=counted.by_meter.get(feature, Decimal(0)),
        policy=settings.DUNNING_POLICY,
        now=present,
    )


def _newest(customer: Customer) -> Subscription | None:
    rows = agreements.noting_more(Subscription.objects.readable()).filter(customer=customer)
    return rows.order_by("-created_at").first()


def _period_at(subscription: Subscription | None, instant: datetime) -> BillingPeriod | None:
    if subscription is None:
        return None
    return BillingPeriod.objects.holding(instant).filter(subscription=subscription).first()


def _standing(subscription: Subscription | None, period: BillingPeriod | None) -> Standing | None:
    if subscription is None:
        return None
    return Standing(
        status=SubscriptionStatus(subscription.status),
        terms=subscription.plan_terms,
        share=period.share if period else WHOLE,
        trial_end=subscription.trial_end,
        period_end=period.ends_at if period else None,
        past_due_at=subscription.past_due_at,
    )
