"""What a customer may do now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from billing.core import entitlements
from billing.core.dunning import DunningPolicy
from billing.core.entitlements import Access, Entitlement, Reason, Standing
from billing.core.errors import NotFoundError
from billing.core.lifecycle import SubscriptionStatus
from billing.core.proration import WHOLE, Share
from billing.models import BillingPeriod, Subscription
from billing.queries import agreements, dunning, prepaid, usage
from billing.queries.usage import PeriodUsage
from customers.models import Customer, ids_among
from plans.models import terms_of
from plans.terms import PlanTerms, TrialUsage


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


@dataclass(frozen=True, slots=True)
class Right:
    """What one check is answered from.

    :param present: the customer's own.
    :param standing: None for a customer without any subscription.
    """

    customer_id: UUID
    present: datetime
    standing: Standing | None
    policy: DunningPolicy
    subscription_id: UUID | None = None
    period_id: UUID | None = None
    period_start: datetime | None = None


class _Row(NamedTuple):
    """A customer with their newest subscription and its period of now, as far as there are any."""

    customer_id: UUID
    organization_id: str
    present: datetime
    subscription_id: UUID | None = None
    status: str | None = None
    plan_version_id: UUID | None = None
    plan_id: UUID | None = None
    trial_end: datetime | None = None
    past_due_at: datetime | None = None
    period_id: UUID | None = None
    period_start: datetime | None = None
    share_used: int = WHOLE.used
    share_whole: int = WHOLE.whole
    share_unit: str = WHOLE.unit
    period_end: datetime | None = None


def of(customer: Customer, *, now: datetime) -> Rights:
    """All entitlements of a customer, in the order of their plan, and what they come from."""
    present = customer.lives_at(now)
    subscription = agreements.newest(customer)
    period = _period_at(subscription, present)
    [right] = _rights([_row(customer, subscription, period, present)])
    used = usage.of_period(period)
    return Rights(
        access=entitlements.access(right.standing, policy=right.policy, now=right.present),
        entitlements=all_of(right, used),
        subscription=subscription,
        period=period,
        usage=used,
        policy=right.policy,
    )


def check(customer_id: UUID, feature: str, *, now: datetime) -> Entitlement:
    """One feature's or meter's answer; what no plan knows is not granted.

    :raises NotFoundError: if there is no such customer.
    """
    right = rights([customer_id], now=now).get(customer_id)
    if right is None:
        raise NotFoundError(f"There is no customer {customer_id}.", code="not_found")
    return _answer(right, feature, _used([right], {feature}))


def checks(
    asked: Sequence[tuple[str, str]], *, only_customer: UUID | None = None, now: datetime
) -> list[Entitlement]:
    """The answers to many pairs of a customer and a feature or meter, in their order.

    A customer is named by their id or their organization's; nothing is granted to an unknown one.

    :param only_customer: the one customer the caller may know of; None for any.
    """
    names = {name for name, _ in asked}
    found = {
        name: right
        for known_as, right in _read(names, ids=ids_among(names), now=now)
        if only_customer in {None, right.customer_id}
        for name in known_as
    }
    used = _used(list(found.values()), {feature for _, feature in asked})
    return [
        Entitlement(feature, is_granted=False, reason=Reason.UNKNOWN_CUSTOMER)
        if (right := found.get(name)) is None
        else _answer(right, feature, used)
        for name, feature in asked
    ]


def rights(customer_ids: Collection[UUID], *, now: datetime) -> dict[UUID, Right]:
    """What checks of these customers are answered from; unknown ones are left out."""
    read = _read(ids=customer_ids, now=now)
    return {right.customer_id: right for _, right in read}


def all_of(right: Right, used: PeriodUsage) -> list[Entitlement]:
    """The answers to everything that a customer's plan speaks of, in its order."""
    return [answer(right, name, used) for name in names_of(right)]


def names_of(right: Right) -> list[str]:
    """Everything that a customer's plan speaks of, in its order."""
    return entitlements.names(right.standing.terms) if right.standing else []


def answer(right: Right, feature: str, used: PeriodUsage) -> Entitlement:
    """One feature's or meter's answer.

    :param used: what the right's period counted.
    """
    return entitlements.check(
        feature,
        right.standing,
        used=used.by_meter.get(feature, Decimal(0)),
        policy=right.policy,
        now=right.present,
    )


def _answer(right: Right, feature: str, used: Mapping[UUID, PeriodUsage]) -> Entitlement:
    counted = used.get(right.period_id) if right.period_id else None
    return answer(right, feature, counted or PeriodUsage())


def _used(found: Sequence[Right], features: Collection[str]) -> dict[UUID, PeriodUsage]:
    """Period → what it counted, of those whose terms count any of the features."""
    counting = [
        right.period_id
        for right in found
        if right.period_id is not None
        and right.standing is not None
        and not set(right.standing.terms.counted).isdisjoint(features)
    ]
    return usage.totals(counting) if counting else {}


def _read(
    names: Collection[str] = (), *, ids: Collection[UUID], now: datetime
) -> list[tuple[set[str], Right]]:
    """Rights, each with the names it may be asked for by, in one statement for all.

    :param names: of organizations, beside the ids of customers.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"ids": list(ids), "names": list(names), "now": now})
        rows = [_Row(*row) for row in cursor.fetchall()]
    called = [{str(row.customer_id), row.organization_id} for row in rows]
    return list(zip(called, _rights(rows), strict=True))


def _rights(rows: Sequence[_Row]) -> list[Right]:
    terms = terms_of({row.plan_version_id for row in rows if row.plan_version_id is not None})
    policies = _policies(rows)
    return [
        Right(
            customer_id=row.customer_id,
            present=row.present,
            standing=_standing(row, terms),
            policy=policies.get(row.customer_id, settings.DUNNING_POLICY),
            subscription_id=row.subscription_id,
            period_id=row.period_id,
            period_start=row.period_start,
        )
        for row in rows
    ]


def _policies(rows: Sequence[_Row]) -> dict[UUID, DunningPolicy]:
    """Customer → by which policy they have grace; of nobody else does it decide anything."""
    past_due = [
        (row.customer_id, row.plan_id) for row in rows if row.status == SubscriptionStatus.PAST_DUE
    ]
    found = dunning.policies_of(past_due) if past_due else {}
    return {customer_id: policy for (customer_id, _), policy in found.items()}


def _standing(row: _Row, terms: Mapping[UUID, PlanTerms]) -> Standing | None:
    if row.status is None or row.plan_version_id is None:
        return None
    said = terms[row.plan_version_id]
    status = SubscriptionStatus(row.status)
    return Standing(
        status=status,
        terms=said,
        share=Share(row.share_used, row.share_whole, row.share_unit),
        trial_end=row.trial_end,
        period_end=row.period_end,
        past_due_at=row.past_due_at,
        is_exhausted=_is_prepaid(said, status)
        and _credit_left(row.customer_id, said.currency, row.present) <= 0,
    )


def _is_prepaid(terms: PlanTerms, status: SubscriptionStatus) -> bool:
    """Whether usage costs credit now: not while a trial makes it free."""
    is_free = status == SubscriptionStatus.TRIALING and terms.trial_usage == TrialUsage.FREE
    return terms.is_prepaid and not is_free


def _credit_left(customer_id: UUID, currency: str, present: datetime) -> int:
    """In minor units."""
    customer = Customer.objects.readable().get(pk=customer_id)
    return prepaid.available(customer, currency, now=present).left.minor


def _period_at(subscription: Subscription | None, instant: datetime) -> BillingPeriod | None:
    if subscription is None:
        return None
    return BillingPeriod.objects.holding(instant).filter(subscription=subscription).first()


def _row(
    customer: Customer,
    subscription: Subscription | None,
    period: BillingPeriod | None,
    present: datetime,
) -> _Row:
    """What `_READ` would have found, of what was read already."""
    row = _Row(customer.pk, customer.organization_id, present)
    if subscription is not None:
        row = row._replace(
            subscription_id=subscription.pk,
            status=subscription.status,
            plan_version_id=subscription.plan_version_id,
            plan_id=subscription.plan_version.plan_id,
            trial_end=subscription.trial_end,
            past_due_at=subscription.past_due_at,
        )
    if period is not None:
        row = row._replace(
            period_id=period.pk,
            period_start=period.starts_at,
            share_used=period.share_used,
            share_whole=period.share_whole,
            share_unit=period.share_unit,
            period_end=period.ends_at,
        )
    return row


# A customer has few subscriptions and periods; each is found by an index, not by joining all.
_READ: Final = """
SELECT customer.id, customer.organization_id, present.at,
       subscription.id, subscription.status, subscription.plan_version_id, subscription.plan_id,
       subscription.trial_end, subscription.past_due_at,
       period.id, period.starts_at, coalesce(period.share_used, 1), coalesce(period.share_whole, 1),
       coalesce(period.share_unit, 'period'), period.ends_at
  FROM customers_customer customer
  LEFT JOIN customers_testclock clock ON clock.id = customer.test_clock_id
 CROSS JOIN LATERAL (SELECT coalesce(clock.now, %(now)s) AS at) present
  LEFT JOIN LATERAL (
    SELECT newest.id, newest.status, newest.plan_version_id, version.plan_id,
           newest.trial_end, newest.past_due_at
      FROM billing_subscription newest
      JOIN plans_planversion version ON version.id = newest.plan_version_id
     WHERE newest.customer_id = customer.id
     ORDER BY newest.created_at DESC LIMIT 1
  ) subscription ON TRUE
  LEFT JOIN billing_billingperiod period
    ON period.subscription_id = subscription.id
   AND period.starts_at <= present.at AND present.at < period.ends_at
 WHERE customer.id = ANY(%(ids)s::uuid[]) OR customer.organization_id = ANY(%(names)s::text[])
"""
