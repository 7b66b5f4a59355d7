"""Commands on subscriptions: start, and begin billing once a payment method is there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing.core import lifecycle, proration
from billing.core.errors import ConflictError, InvalidError
from billing.core.lifecycle import SubscriptionStatus
from billing.core.periods import Period
from billing.core.proration import WHOLE, Share
from billing.models import BillingPeriod, PaymentMethod, Subscription, bulk
from billing.models.subscription import PeriodKind
from billing.services import journal, locks, usage
from customers.models import Customer
from plans.models import Plan


@transaction.atomic
def start(
    customer_id: UUID,
    plan: Plan,
    *,
    by: str,
    now: datetime,
    quantity: int = 1,
    trial_days: int | None = None,
) -> Subscription:
    """Put a customer on a plan's terms as they are now; with a trial, if there is one.

    Without a trial, billing begins at once if the customer has a payment method or the plan is
    free, else when a method is added.

    :param trial_days: instead of the plan's own; 0 for none.
    :raises ConflictError: if the customer has a subscription already.
    :raises InvalidError: if the plan is not on sale for them.
    """
    customer = locks.customer(customer_id)
    present = customer.lives_at(now)
    if not Plan.objects.on_sale(customer.organization_id).filter(pk=plan.pk).exists():
        raise InvalidError("This plan is not on sale.", code="plan_not_on_sale")
    if locks.live_subscription(customer.pk) is not None:
        raise ConflictError("There is a subscription already.", code="already_subscribed")
    days = plan.terms.trial_days if trial_days is None else trial_days
    subscription = _new(customer, plan, quantity=quantity, by=by, present=present)
    if days:
        subscription.status = SubscriptionStatus.TRIALING
        subscription.trial_start = present
        subscription.trial_end = subscription.due_at = present + timedelta(days=days)
    subscription.save(force_insert=True)
    journal.post(_started(subscription, plan))
    if subscription.trial_end is not None:
        _open([_trial(subscription, Period(present, subscription.trial_end))])
    elif _may_begin(subscription):
        begin([(subscription, present)])
        subscription.save()
    return subscription


def begin(anchored: Iterable[tuple[Subscription, datetime]]) -> None:
    """Begin billing: the anchor is set and the first period opened. The rows are not saved.

    The caller holds the locks. Each comes with its anchor: the later of trial end and card
    set-up (seed 003), in its customer's own time.
    """
    periods, facts = [], []
    for subscription, anchor in anchored:
        subscription.status = lifecycle.SUBSCRIPTION.after(subscription.status, "activate")
        subscription.billing_anchor = anchor
        span, share = proration.first_period(subscription.plan_terms, subscription.cadence)
        periods.append(_regular(subscription, span.period, share))
        facts.append(
            journal.Fact(
                kind="SUBSCRIPTION_ACTIVATED",
                key=f"subscription:{subscription.pk}:activated",
                customer_id=subscription.customer_id,
                occurred_at=anchor,
                context={
                    "subscription": str(subscription.pk),
                    "plan": subscription.plan_name,
                    "first_period_ends": span.period.end.isoformat(),
                },
            )
        )
    _open(periods)
    journal.post(*facts)


def renew(subscriptions: Iterable[Subscription], ended: Iterable[BillingPeriod]) -> None:
    """Open for each the period that follows the one that ended. The rows are not saved."""
    _open(
        [
            _regular(subscription, subscription.cadence.following(period.ends_at).period, WHOLE)
            for subscription, period in zip(subscriptions, ended, strict=True)
        ]
    )


def anchor_of(subscription: Subscription, added_at: datetime | None) -> datetime | None:
    """When billing begins, or None while it cannot.

    :param added_at: when the customer's first usable payment method was set up; None without.
    """
    since = subscription.trial_end or subscription.created_at
    if subscription.plan_terms.is_free:
        return since
    return None if added_at is None else max(since, added_at)


def _new(
    customer: Customer, plan: Plan, *, quantity: int, by: str, present: datetime
) -> Subscription:
    return Subscription(
        customer=customer,
        plan_version=plan.current,
        plan_name=plan.name,
        terms=plan.terms.to_json(),
        quantity=quantity,
        status=SubscriptionStatus.INCOMPLETE,
        created_by=by,
        created_at=present,
    )


def _may_begin(subscription: Subscription) -> bool:
    methods = PaymentMethod.objects.usable().filter(customer=subscription.customer)
    return subscription.plan_terms.is_free or methods.exists()


def _trial(subscription: Subscription, period: Period) -> BillingPeriod:
    return _period(subscription, period, kind=PeriodKind.TRIAL, share=WHOLE)


def _regular(subscription: Subscription, period: Period, share: Share) -> BillingPeriod:
    subscription.due_at = period.end
    return _period(subscription, period, kind=PeriodKind.REGULAR, share=share)


def _period(
    subscription: Subscription, period: Period, *, kind: PeriodKind, share: Share
) -> BillingPeriod:
    terms = subscription.plan_terms
    return BillingPeriod(
        subscription=subscription,
        customer_id=subscription.customer_id,
        kind=kind,
        starts_at=period.start,
        ends_at=period.end,
        share_used=share.used,
        share_whole=share.whole,
        share_unit=share.unit,
        meters=list(dict.fromkeys([*terms.meters, *terms.limits])),
    )


def _open(periods: list[BillingPeriod]) -> None:
    """Store new periods and count in them what was waiting for them."""
    bulk.insert(periods)
    usage.place(periods)


def _started(subscription: Subscription, plan: Plan) -> journal.Fact:
    return journal.Fact(
        kind="SUBSCRIPTION_STARTED",
        key=f"subscription:{subscription.pk}:started",
        customer_id=subscription.customer_id,
        occurred_at=subscription.created_at,
        context={
            "subscription": str(subscription.pk),
            "plan": plan.name,
            "plan_version": plan.version,
            "quantity": subscription.quantity,
            "trial_end": subscription.trial_end.isoformat() if subscription.trial_end else None,
            "terms": subscription.terms,
            "by": subscription.created_by,
        },
    )
