"""By which policy somebody is dunned, and which invoices nobody has paid in time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from django.conf import settings
from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from billing import models
from billing.core.dunning import DunningPolicy, DunningStatus, FinalAct, notices_from_json
from billing.core.postings import RECEIVABLES, Side
from billing.models import (
    BillingProfile,
    DunningRun,
    Instalment,
    Invoice,
    JournalLine,
    PaymentAttempt,
    PlanDunning,
)
from billing.models.subscription import BilledBy
from customers.models import TestClock

# A customer, and the plan in question, if there is one.
Dunned: TypeAlias = tuple[UUID, UUID | None]


def policy_of(customer_id: UUID, plan_id: UUID | None) -> DunningPolicy:
    """The customer's own, else their plan's, else the default, else the one of the settings."""
    wanted = (customer_id, plan_id)
    return policies_of([wanted])[wanted]


def policies_of(wanted: Iterable[Dunned]) -> dict[Dunned, DunningPolicy]:
    """The same for many, in a few statements."""
    pairs = set(wanted)
    own = dict(
        BillingProfile.objects.filter(
            customer__in={customer for customer, _ in pairs}, dunning_policy__isnull=False
        ).values_list("customer_id", "dunning_policy_id")
    )
    of_plan: dict[UUID | None, UUID] = dict(
        PlanDunning.objects.filter(plan__in={plan for _, plan in pairs if plan}).values_list(
            "plan_id", "policy_id"
        )
    )
    rows = models.DunningPolicy.objects.filter(
        Q(is_default=True) | Q(pk__in={*own.values(), *of_plan.values()})
    )
    policies: dict[UUID | None, DunningPolicy] = {None: settings.DUNNING_POLICY}
    for row in rows:
        policies[row.pk] = value_of(row)
        if row.is_default:
            policies[None] = policies[row.pk]
    return {
        (customer, plan): policies[own.get(customer) or of_plan.get(plan)]
        for customer, plan in pairs
    }


def value_of(row: models.DunningPolicy) -> DunningPolicy:
    """A stored policy as the core knows it."""
    return DunningPolicy(
        retry_after_days=tuple(row.retry_after_days),
        grace_days=row.grace_days,
        notices=notices_from_json(row.notices),
        final_act=FinalAct(row.final_act),
        final_after_days=row.final_after_days,
        name=row.name,
    )


def plan_of(invoice: Invoice) -> UUID | None:
    """The plan that an invoice is for; None for one by hand."""
    subscription = invoice.subscription
    return None if subscription is None else subscription.plan_version.plan_id


def is_dunned(customer_id: UUID) -> bool:
    """Whether a customer is dunned at all."""
    return not BillingProfile.objects.filter(customer=customer_id, is_dunned=False).exists()


def due_runs(now: datetime, clock: TestClock | None) -> QuerySet[DunningRun]:
    """Those of which something is due, of one clock's customers or of all others."""
    return DunningRun.objects.filter(due_at__lte=now, customer__test_clock=clock)


def overdue(now: datetime, clock: TestClock | None) -> QuerySet[Invoice]:
    """Invoices whose day has passed without a payment, and about which nothing is done yet.

    `fell_due_at` says when; of one in instalments, that is the day of the first one still owed.
    What Stripe bills, Stripe collects.
    """
    under_way = PaymentAttempt.objects.in_flight().filter(invoice=OuterRef("pk"))
    dunned = DunningRun.objects.filter(invoice=OuterRef("pk")).exclude(
        status=DunningStatus.RECOVERED
    )
    resting = BillingProfile.objects.filter(customer=OuterRef("customer"), is_dunned=False)
    in_parts = Instalment.objects.filter(invoice=OuterRef("pk"), due_at__lte=now)
    return (
        Invoice.objects.collectible()
        .filter(Q(due_at__lte=now) | Exists(in_parts), customer__test_clock=clock)
        .exclude(subscription__billed_by=BilledBy.STRIPE)
        .exclude(next_charge_at__lte=now)  # it is about to be charged
        .exclude(Exists(under_way))
        .exclude(Exists(dunned))
        .exclude(Exists(resting))
        .alias(settled=F("total_minor") - _owed())
        .annotate(fell_due_at=Coalesce(_first_unpaid_part(), F("due_at")))
        .filter(fell_due_at__lte=now)
    )


def next_due(until: datetime, clock: TestClock | None) -> datetime | None:
    """The next instant at which something is due of dunning, for the customers of one clock.

    Mostly nobody owes anything, which is quickly seen; what is overdue is not.
    """
    instants = [due_runs(until, clock).aggregate(at=Min("due_at"))["at"]]
    if Invoice.objects.collectible().filter(customer__test_clock=clock).exists():
        instants.append(overdue(until, clock).aggregate(at=Min("fell_due_at"))["at"])
    return min((instant for instant in instants if instant is not None), default=None)


def _owed() -> Coalesce:
    signed = Sum(Case(When(side=Side.DEBIT, then=F("amount_minor")), default=-F("amount_minor")))
    lines = JournalLine.objects.filter(account=RECEIVABLES.code, invoice=OuterRef("pk"))
    owed = lines.order_by().values("invoice").annotate(owed=signed).values("owed")
    return Coalesce(Subquery(owed), Value(0), output_field=BigIntegerField())


def _first_unpaid_part() -> Subquery:
    """Payments settle the earliest parts first."""
    up_to = (
        Instalment.objects.filter(invoice=OuterRef("invoice"), position__lte=OuterRef("position"))
        .order_by()
        .values("invoice")
        .annotate(minor=Sum("amount_minor"))
        .values("minor")
    )
    parts = (
        Instalment.objects.filter(invoice=OuterRef("pk"))
        .alias(up_to=Subquery(up_to), settled=OuterRef("settled"))
        .filter(up_to__gt=F("settled"))
    )
    return Subquery(parts.order_by("position").values("due_at")[:1])
