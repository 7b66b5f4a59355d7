"""What a customer may do now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from billing.core import entitlements
from billing.core.dunning import DunningPolicy
from billing.core.entitlements import Access, Entitlement, Standing
from billing.core.lifecycle import SubscriptionStatus
from billing.core.proration import WHOLE
from billing.models import BillingPeriod, Subscription
from billing.queries import agreements, dunning, prepaid, usage
from billing.queries.usage import PeriodUsage
from customers.models import Customer
from plans.terms import TrialUsage


@dataclass(frozen=True, slots=True)
class Rights:
    """Everything about a customer's rights at one instant.

    :param period: the period that holds the instant; None while none does.
    :param usage: what was counted in that period.
    :param policy: how a payment that fails is dunned, and how long access outlives it.
    """

    access: Access
    entitlements: list[Entitlement]
    subscription: Subscription | None
    period: BillingPeriod | None
    usage: PeriodUsage
    policy: DunningPolicy


def of(customer: Customer, *, now: datetime) -> Rights:
    """All entitlements of a customer, in the order of their plan."""
    present = customer.lives_at(now)
    subscription = _newest(customer)
    period = _period_at(subscription, present)
    used = usage.of_period(period)
    standing = _standing(subscription, period, customer, present)
    names = entitlements.names(standing.terms) if standing else []
    policy = _policy(customer, subscription)
    return Rights(
        access=entitlements.access(standing, policy=policy, now=present),
        entitlements=[_check(name, standing, used, present, policy=policy) for name in names],
        subscription=subscription,
        period=period,
        usage=used,
        policy=policy,
    )


def check(customer: Customer, feature: str, *, now: datetime) -> Entitlement:
    """One feature's or meter's answer; what no plan knows is not granted."""
    present = customer.lives_at(now)
    subscription = _newest(customer)
    period = _period_at(subscription, present)
    return _check(
        feature,
        _standing(subscription, period, customer, present),
        usage.of_period(period),
        present,
        policy=_policy(customer, subscription),
    )


def _check(
    feature: str,
    standing: Standing | None,
    counted: PeriodUsage,
    present: datetime,
    *,
    policy: DunningPolicy,
) -> Entitlement:
    return entitlements.check(
        feature,
        standing,
        used=counted.by_meter.get(feature, Decimal(0)),
        policy=policy,
        now=present,
    )


def _policy(customer: Customer, subscription: Subscription | None) -> DunningPolicy:
    """By which a past-due customer has grace; of no other does it decide anything."""
    if subscription is None or subscription.status != SubscriptionStatus.PAST_DUE:
        return settings.DUNNING_POLICY
    return dunning.policy_of(customer.pk, subscription.plan_version.plan_id)


def _newest(customer: Customer) -> Subscription | None:
    rows = agreements.noting_more(Subscription.objects.readable()).filter(customer=customer)
    return rows.order_by("-created_at").first()


def _period_at(subscription: Subscription | None, instant: datetime) -> BillingPeriod | None:
    if subscription is None:
        return None
    return BillingPeriod.objects.holding(instant).filter(subscription=subscription).first()


def _standing(
    subscription: Subscription | None,
    period: BillingPeriod | None,
    customer: Customer,
    present: datetime,
) -> Standing | None:
    if subscription is None:
        return None
    terms = subscription.plan_terms
    return Standing(
        status=SubscriptionStatus(subscription.status),
        terms=terms,
        share=period.share if period else WHOLE,
        trial_end=subscription.trial_end,
        period_end=period.ends_at if period else None,
        past_due_at=subscription.past_due_at,
        is_exhausted=_is_prepaid(subscription)
        and prepaid.available(customer, terms.currency, now=present).left.minor <= 0,
    )


def _is_prepaid(subscription: Subscription) -> bool:
    """Whether usage costs credit now: not while a trial makes it free."""
    terms = subscription.plan_terms
    is_free = (
        subscription.status == SubscriptionStatus.TRIALING and terms.trial_usage == TrialUsage.FREE
    )
    return terms.is_prepaid and not is_free
