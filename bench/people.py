"""Customers by the thousand, as the services would have left them, written in bulk."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from billing.core.lifecycle import SubscriptionStatus
from billing.models import BillingPeriod, PaymentMethod, Subscription
from billing.models.subscription import PeriodKind
from customers.models import BillingDetails, Customer
from plans import services as plan_services
from plans.models import Meter, Plan
from plans.prices import Price, UsageModel
from plans.terms import Alignment, PlanTerms, UsageTerms

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


def catalogue(meters: int) -> Plan:
    """A plan with an allowance on each of some meters."""
    codes = [f"meter_{number}" for number in range(meters)]
    Meter.objects.bulk_create(Meter(code=code, name=code) for code in codes)
    terms = PlanTerms(
        currency="USD",
        amount=Decimal(180),
        alignment=Alignment.CALENDAR,
        usage=tuple(
            UsageTerms(code, Price(UsageModel.ALLOWANCE, Decimal("1.80"), Decimal(400)))
            for code in codes
        ),
    )
    return plan_services.create("Bench", terms=terms, by="bench", now=APRIL)


def subscribe(plan: Plan, count: int) -> list[Customer]:
    """Customers with a card, active since 1 April 2026, their period open until May."""
    people = [
        Customer(organization_id=f"org-{number}", created_at=APRIL) for number in range(count)
    ]
    Customer.objects.bulk_create(people, batch_size=5000)
    BillingDetails.objects.bulk_create(
        (BillingDetails(customer=person, name="Somebody") for person in people), batch_size=5000
    )
    PaymentMethod.objects.bulk_create(
        (
            PaymentMethod(
                customer=person,
                gateway="sandbox",
                external_id=f"pm.tok_ok.{person.pk}",
                kind="card",
                is_default=True,
                added_at=APRIL,
            )
            for person in people
        ),
        batch_size=5000,
    )
    subscriptions = [
        Subscription(
            customer=person,
            plan_version=plan.current,
            plan_name=plan.name,
            status=SubscriptionStatus.ACTIVE,
            billing_anchor=APRIL,
            due_at=MAY,
            created_at=APRIL,
        )
        for person in people
    ]
    Subscription.objects.bulk_create(subscriptions, batch_size=5000)
    BillingPeriod.objects.bulk_create(
        (
            BillingPeriod(
                subscription=subscription,
                customer_id=subscription.customer_id,
                kind=PeriodKind.REGULAR,
                starts_at=APRIL,
                ends_at=MAY,
                share_used=30,
                share_whole=30,
                share_unit="days",
                plan_version=plan.current,
                meters=list(plan.terms.meters),
                counts_until=MAY,
                charged_until=APRIL,
            )
            for subscription in subscriptions
        ),
        batch_size=5000,
    )
    return people
