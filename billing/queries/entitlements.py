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
from billing.models import BillingPeriod, Subscription, UsageTotal
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Rights:
    """Everything about a customer's rights at one instant.

    :param period: the period that holds the instant; None while none does.
    :param totals: meter code → what it counted in that period.
    """

    access: Access
    entitlements: list[Entitlement]
    subscription: Subscription | None
    period: BillingPeriod | None
    totals: dict[str, Decimal]


def of(customer: Customer, *, now: datetime) -> Rights:
    """All entitlements of a customer, in the order of their plan."""
    present = customer.lives_at(now)
    subscription = _newest(customer)
    period = _period_at(subscription, present)
    totals = _totals(period)
    standing = _standing(subscription, period)
    names = entitlements.names(standing.terms) if standing else []
    return Rights(
        access=entitlements.access(standing, policy=settings.DUNNING_POLICY, now=present),
        entitlements=[_check(name, standing, totals, present) for name in names],
        subscription=subscription,
        period=period,
        totals=totals,
    )


def check(customer: Customer, feature: str, *, now: datetime) -> Entitlement:
    """One feature's or meter's answer; what no plan knows is not granted."""
    present = customer.lives_at(now)
    subscription = _newest(customer)
    period = _period_at(subscription, present)
    return _check(feature, _standing(subscription, period), _totals(period), present)


def _check(
    feature: str, standing: Standing | None, totals: dict[str, Decimal], present: datetime
) -> Entitlement:
    return entitlements.check(
        feature,
        standing,
        used=totals.get(feature, Decimal(0)),
        policy=settings.DUNNING_POLICY,
        now=present,
    )


def _newest(customer: Customer) -> Subscription | None:
    rows = Subscription.objects.readable().filter(customer=customer)
    return rows.order_by("-created_at").first()


def _period_at(subscription: Subscription | None, instant: datetime) -> BillingPeriod | None:
    if subscription is None:
        return None
    return BillingPeriod.objects.holding(instant).filter(subscription=subscription).first()


def _totals(period: BillingPeriod | None) -> dict[str, Decimal]:
    if period is None:
        return {}
    rows = UsageTotal.objects.filter(period=period)
    return {
        code: quantity + late
        for code, quantity, late in rows.values_list("meter__code", "quantity", "late_quantity")
    }


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
