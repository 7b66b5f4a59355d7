"""Usage of periods that are invoiced: what is still to be billed of it, or given back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from billing.core import adjusting
from billing.core.charging import Counted
from billing.core.invoicing import Line, LineKind
from billing.models import BillingPeriod, InvoiceLine, Subscription
from billing.queries import agreements, catalogue
from billing.services import usage
from billing.services.usage import Adjusted


def lines(subscriptions: Sequence[Subscription]) -> dict[UUID, list[tuple[Line, UUID]]]:
    """Subscription → a line for each component that has moved, with the period it belongs to.

    What is read counts as billed from here on, in the caller's transaction.
    """
    moved = usage.to_adjust([row.pk for row in subscriptions])
    found: dict[UUID, list[tuple[Line, UUID]]] = defaultdict(list)
    if not moved:
        return found
    periods = (
        BillingPeriod.objects.filter(pk__in=moved)
        .select_related("subscription__customer")
        .prefetch_related("plan_version__plan", "subscription__plan_version__plan")
        .order_by("starts_at")
    )
    names = catalogue.meter_names({code for period in periods for code in period.meters})
    rates = _rates(list(moved))
    for period in periods:
        rate = rates.get(period.pk, Decimal(0))
        for line in _of(period, moved[period.pk], names, rate=rate):
            found[period.subscription_id].append((line, period.pk))
    return found


def _of(
    period: BillingPeriod,
    moved: Adjusted,
    names: dict[str, str],
    *,
    rate: Decimal,
) -> list[Line]:
    agreement = agreements.agreement_of(period.subscription, period)
    plan = agreements.plan_of(period.plan_version)
    return adjusting.adjustments(
        agreement.on(plan),
        agreement.open_stay,
        billed=Counted(moved.billed, names),
        now=Counted(moved.now, names),
        rate=rate,
    )


def _rates(periods: Sequence[UUID]) -> dict[UUID, Decimal]:
    """Period → the part that coupons over a percentage took off its usage."""
    used = InvoiceLine.objects.filter(billing_period__in=periods, kind=LineKind.USAGE)
    return dict(used.values_list("billing_period", "discount_rate"))
