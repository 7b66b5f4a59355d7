"""Commands on subscriptions: start one, and begin billing when what it waits for is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from billing.core import changes
from billing.core.errors import ConflictError, InvalidError
from billing.core.lifecycle import SubscriptionStatus
from billing.core.periods import days_later
from billing.models import PaymentMethod, Subscription
from billing.queries import agreements
from billing.services import coupons, facts, journal, locks, steps
from billing.services.steps import Step
from customers.models import Customer
from plans.models import Plan, PlanVersion

PAYMENT_METHOD: Final = "payment method"


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for beside the plan.

    :param trial_days: instead of the plan's own; 0 for none.
    :param starts_at: None for now.
    :param coupon: a coupon's code; empty for none.
    """

    quantity: int | None = None
    trial_days: int | None = None
    starts_at: datetime | None = None
    coupon: str = ""


STANDARD: Final = Order()


@transaction.atomic
def start(
    customer_id: UUID, plan: Plan, *, by: str, now: datetime, order: Order = STANDARD
) -> Subscription:
    """Put a customer on a plan's terms as they are now; with a trial, if there is one.

    Without a trial, billing begins at once if the customer has a payment method or the plan is
    free, else when a method is added. A trial that needs a method begins with it too.

    :raises ConflictError: if the customer has a subscription already or was erased, the plan is
        not sold in that quantity, or the coupon cannot be redeemed.
    :raises InvalidError: if the plan is not on sale for them, or the start lies in the past.
    """
    customer = locks.client(customer_id)
    present = customer.lives_at(now)
    if not Plan.objects.on_sale(customer.organization_id).filter(pk=plan.pk).exists():
        raise InvalidError("This plan is not on sale.", code="plan_not_on_sale")
    if locks.live_subscription(customer.pk) is not None:
        raise ConflictError("There is a subscription already.", code="already_subscribed")
    if order.starts_at is not None and order.starts_at < present:
        raise InvalidError(
            "The start lies in the past.",
            code="starts_in_the_past",
            errors={"starts_at": ["Not before now."]},
        )
    subscription = _new(customer, plan, order, by=by, present=present)
    changes.require_quantity(plan.terms, subscription.quantity)
    subscription.save(force_insert=True)
    journal.post(facts.started(subscription))
    if order.coupon:
        coupons.redeem(subscription, order.coupon, on=subscription.plan_version, by=by, now=present)
    if subscription.starts_at is None:
        _begin(subscription, present, by=by)
    return subscription


def begin_waiting(customer: Customer, *, now: datetime) -> list[UUID]:
    """Begin the subscription that was waiting for a payment method, if there is one.

    In a transaction of the caller's, who holds the lock on the customer. Returns the payment
    attempts that wait to be collected.
    """
    subscription = locks.live_subscription(customer.pk)
    if subscription is None or subscription.status != SubscriptionStatus.INCOMPLETE:
        return []
    present = customer.lives_at(now)
    if subscription.starts_at is not None and subscription.starts_at > present:
        return []
    return _begin(subscription, present, by=PAYMENT_METHOD)


def waiting_step(step: Step, method_added_at: datetime | None) -> Step:
    """The step of a subscription that is not billed yet: its trial or its billing begins.

    :param method_added_at: when the customer's first usable payment method was set up.
    """
    subscription, terms = step.standing.subscription, step.agreement.terms
    if step.is_over:
        return replace(step, begins_at=anchor_of(subscription, method_added_at))
    if step.agreement.stay is not None or step.change is not None:
        return step
    may_try = not terms.trial_needs_method or method_added_at is not None
    if subscription.trial_days and may_try:
        begins = max(step.at, method_added_at or step.at) if terms.trial_needs_method else step.at
        until = days_later(begins, subscription.trial_days, step.agreement.zone)
        return replace(step, at=begins, trial_until=until)
    if subscription.trial_days:
        return step
    return replace(step, begins_at=anchor_of(subscription, method_added_at))


def anchor_of(subscription: Subscription, added_at: datetime | None) -> datetime | None:
    """When billing begins, or None while it cannot.

    :param added_at: when the customer's first usable payment method was set up; None without.
    """
    since = subscription.trial_end or subscription.starts_at or subscription.created_at
    if subscription.plan_terms.is_free:
        return since
    return None if added_at is None else max(since, added_at)


def first_method_added(customer_id: UUID) -> datetime | None:
    """When the oldest of a customer's usable payment methods was set up; None without one."""
    methods = PaymentMethod.objects.usable().filter(customer=customer_id)
    return methods.order_by("added_at").values_list("added_at", flat=True).first()


def _begin(subscription: Subscription, present: datetime, *, by: str) -> list[UUID]:
    """Take the first step, if nothing has to be waited for."""
    added = first_method_added(subscription.customer_id)
    step = waiting_step(Step(agreements.standing(subscription), present), added)
    if step.trial_until is None and step.begins_at is None:
        return []
    return steps.take([step], by=by, now=present)


def _new(
    customer: Customer, plan: Plan, order: Order, *, by: str, present: datetime
) -> Subscription:
    terms = plan.terms
    later = order.starts_at if order.starts_at and order.starts_at > present else None
    return Subscription(
        customer=customer,
        plan_version=_version(plan),
        plan_name=plan.name,
        quantity=terms.minimum_quantity if order.quantity is None else order.quantity,
        status=SubscriptionStatus.INCOMPLETE,
        trial_days=terms.trial_days if order.trial_days is None else order.trial_days,
        starts_at=later,
        due_at=later,
        created_by=by,
        created_at=present,
    )


def _version(plan: Plan) -> PlanVersion:
    """The plan's current version, with the plan at hand."""
    if plan.current is None:
        raise ValueError("The plan has no version yet.")
    plan.current.plan = plan
    return plan.current
