"""From a person to a customer on a plan, in one command."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import transaction

from billing.models import Subscription
from billing.services import customers, subscriptions
from billing.services.subscriptions import Order
from customers import services as customer_services
from customers.models import Customer, User
from plans.models import Plan


@transaction.atomic
def sign_up(user: User, plan: Plan, *, now: datetime) -> Subscription:
    """Make the person a customer of their own and start the plan with its trial.

    :raises InvalidError: if the plan is not on sale for everybody.
    """
    by = f"user:{user.pk}"
    customer = customers.create(
        str(uuid4()),
        fields={"email": user.email, "currency": plan.terms.currency},
        by=by,
        now=now,
    )
    customer_services.add_member(customer, user)
    return subscriptions.start(customer.pk, plan, by=by, now=now)


def choose(customer: Customer, plan: Plan, *, by: str, now: datetime) -> Subscription:
    """Put a customer who has no subscription on a plan. A trial is given once, not again.

    :raises ConflictError: if there is a subscription already.
    :raises InvalidError: if the plan is not on sale for them.
    """
    had_one = Subscription.objects.filter(customer=customer).exists()
    order = Order(trial_days=0 if had_one else None)
    return subscriptions.start(customer.pk, plan, by=by, now=now, order=order)
