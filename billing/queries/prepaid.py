"""Prepaid usage: what it costs so far, what was drawn for it, and what credit is left beyond."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.core import prepaying as rules
from billing.core.charging import Counted
from billing.core.invoicing import Line, LineKind
from billing.core.lifecycle import COLLECTIBLE, InvoiceStatus
from billing.core.money import Money, total
from billing.models import (
    BillingPeriod,
    BillingProfile,
    CreditDraw,
    CreditGrant,
    Invoice,
    InvoiceLine,
    PaymentMethod,
    Subscription,
    UsageTotal,
)
from billing.models.credit import DrawKind
from billing.models.invoice import InvoicePurpose
from billing.queries import agreements, catalogue, usage
from customers.models import Customer, TestClock, ids_among


@dataclass(frozen=True, slots=True)
class Running:
    """A period whose usage is prepaid and not invoiced yet.

    :param charge: what it costs so far, tax included.
    :param draws: for it, in the order they were stored, with their grants.
    """

    period: BillingPeriod
    charge: Money
    draws: Sequence[CreditDraw] = field(default_factory=tuple)

    @property
    def drawn(self) -> Money:
        """What is paid of it."""
        return Money(sum(draw.amount_minor for draw in self.draws), self.charge.currency)

    @property
    def missing(self) -> Money:
        """What is still to be drawn; negative where it is to be given back."""
        return self.charge - self.drawn


@dataclass(frozen=True, slots=True)
class Available:
    """Where a customer stands with their credit in one currency.

    :param remaining: of the grants that are in force.
    :param missing: usage that nothing was drawn for yet.
    """

    remaining: Money
    missing: Money

    @property
    def left(self) -> Money:
        """What may still be used; not more than nothing where credit is exhausted."""
        return self.remaining - self.missing


def running(customer: Customer, *, now: datetime) -> list[Running]:
    """Every period of a customer whose usage is prepaid and not invoiced yet, oldest first.

    :param now: the customer's present.
    """
    subscription = agreements.newest(customer)
    periods = [] if subscription is None else list(_periods(customer))
    if subscription is None or not periods:
        return []
    lines = _lines(subscription, periods, now=now)
    draws = usage_draws([period.pk for period in periods])
    return [
        Running(
            period,
            total(lines.get(period.pk, ()), period.plan_version.parsed.currency),
            draws.get(period.pk, ()),
        )
        for period in periods
    ]


def usage_draws(period_ids: Sequence[UUID]) -> dict[UUID, list[CreditDraw]]:
    """Period → what was drawn for its usage, in order; a grant is one object for all of them."""
    found: dict[UUID, list[CreditDraw]] = {}
    rows = CreditDraw.objects.filter(kind=DrawKind.USAGE, billing_period__in=period_ids)
    for draw in rows.prefetch_related("grant").order_by("pk"):
        if draw.billing_period_id is not None:
            found.setdefault(draw.billing_period_id, []).append(draw)
    return found


def available(customer: Customer, currency: str, *, now: datetime) -> Available:
    """What a customer may still use, whether or not anything was drawn for it yet.

    :param now: the customer's present.
    """
    rows = [row for row in running(customer, now=now) if row.charge.currency == currency]
    grants = CreditGrant.objects.usable(now).filter(customer=customer, currency=currency)
    remaining: int = grants.order_by().aggregate(left=Sum("remaining_minor"))["left"] or 0
    missing = total((row.missing for row in rows), currency)
    return Available(Money(remaining, currency), missing)


def prepaying(customers: Iterable[str]) -> list[UUID]:
    """Those of some customers, named by id or organization, whose usage is prepaid."""
    named = set(customers)
    is_named = Q(customer__organization_id__in=named) | Q(customer__in=ids_among(named))
    rows = _subscribers().filter(is_named)
    return list(rows.values_list("customer", flat=True))


def customers_of(clock: TestClock) -> list[UUID]:
    """Those who live by a test clock and prepay, or buy credit by themselves."""
    theirs = Customer.objects.filter(test_clock=clock).values("pk")
    prepaid = _subscribers().filter(customer__in=theirs).values_list("customer", flat=True)
    profiles = BillingProfile.objects.filter(
        customer__in=theirs, top_up_threshold_minor__isnull=False
    )
    return sorted({*prepaid, *profiles.values_list("customer", flat=True)})


def unheard(limit: int) -> list[UUID]:
    """Customers in real time whose usage is later than what was last drawn for it, or whose
    credit is to be topped up; in any order, so that nobody is always the last.
    """
    drawn_at = (
        CreditDraw.objects.filter(billing_period=OuterRef("period"), kind=DrawKind.USAGE)
        .order_by("-pk")
        .values("created_at")[:1]
    )
    later = UsageTotal.objects.annotate(drawn_at=Subquery(drawn_at)).filter(
        Q(drawn_at=None) | Q(latest_at__gt=F("drawn_at")),
        period__customer=OuterRef("customer"),
        period__closed_at=None,
        quantity__gt=0,
    )
    using = _subscribers().filter(Exists(later), customer__test_clock=None)
    return [
        *using.order_by("?").values_list("customer", flat=True)[:limit],
        *_to_top_up().order_by("?").values_list("customer", flat=True)[:limit],
    ]


def _to_top_up() -> QuerySet[BillingProfile]:
    """Who has less credit than agreed, something to charge, and no top-up under way."""
    mine = {"customer": OuterRef("customer"), "currency": OuterRef("top_up_currency")}
    left = (
        CreditGrant.objects.filter(remaining_minor__gt=0, **mine)
        .order_by()
        .values("customer")
        .annotate(left=Sum("remaining_minor"))
        .values("left")
    )
    is_open = Q(status=InvoiceStatus.DRAFT) | Q(status__in=sorted(COLLECTIBLE))
    top_ups = Invoice.objects.filter(is_open, purpose=InvoicePurpose.TOP_UP, **mine)
    methods = PaymentMethod.objects.usable().filter(customer=OuterRef("customer"), is_default=True)
    return BillingProfile.objects.annotate(left=Coalesce(Subquery(left), 0)).filter(
        Exists(methods),
        ~Exists(top_ups),
        customer__test_clock=None,
        top_up_threshold_minor__gt=F("left"),
    )


def _subscribers() -> QuerySet[Subscription]:
    return Subscription.objects.live().filter(plan_version__terms__is_prepaid=True)


def _periods(customer: Customer) -> Sequence[BillingPeriod]:
    """Those that are not invoiced: open, or closed with lines that wait, or drawn for."""
    usage_lines = InvoiceLine.objects.filter(billing_period=OuterRef("pk"), kind=LineKind.USAGE)
    is_waiting = Exists(usage_lines.filter(invoice__number=None))
    is_drawn = Exists(CreditDraw.objects.filter(billing_period=OuterRef("pk"), kind=DrawKind.USAGE))
    is_prepaid = Q(plan_version__terms__is_prepaid=True)
    rows = BillingPeriod.objects.filter(
        ~Exists(usage_lines.filter(invoice__number__isnull=False)), customer=customer
    )
    rows = rows.filter(is_prepaid & (Q(closed_at=None) | is_waiting) | is_drawn)
    return list(rows.select_related("plan_version__plan").order_by("starts_at", "pk"))


def _lines(
    subscription: Subscription, periods: Sequence[BillingPeriod], *, now: datetime
) -> dict[UUID, list[Money]]:
    """Period → what each of its usage lines costs."""
    mine = [row for row in periods if row.subscription_id == subscription.pk]
    current = next((row for row in mine if row.closed_at is None), None)
    tab = agreements.standing(subscription, period=current).tab
    grouped: defaultdict[str, list[tuple[UUID, Line]]] = defaultdict(list)
    waiting = InvoiceLine.objects.filter(
        Q(invoice=None) | Q(invoice__status=InvoiceStatus.DRAFT),
        billing_period__in=periods,
        kind=LineKind.USAGE,
    )
    for row in waiting.order_by("created_at", "pk"):
        if row.billing_period_id is not None:
            line = agreements.line_of(row)
            grouped[row.currency].append((row.billing_period_id, line))
    if current is not None:
        names = catalogue.meter_names(current.meters)
        counted = Counted(usage.of_period(current).by_component, names)
        for line in rules.open_lines(tab, counted):
            grouped[line.amount.currency].append((current.pk, line))
    found: defaultdict[UUID, list[Money]] = defaultdict(list)
    for currency, pairs in grouped.items():
        lines = [line for _, line in pairs]
        costs = rules.charges(lines, tab, currency=currency, now=now)
        for (period_id, _), cost in zip(pairs, costs, strict=True):
            found[period_id].append(cost)
    return found
