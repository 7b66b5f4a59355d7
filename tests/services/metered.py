"""A plan with a meter of every kind, reports on them, and what is counted, plainly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.models import BillingPeriod, UsageDay, UsageTotal, UsageValue
from billing.services import locks, usage
from billing.services.usage import Report
from customers.models import Customer
from plans.prices import Price, UsageModel
from plans.terms import PlanTerms, UsageTerms
from tests import builders
from tests.terms import seed_terms
from tests.world import World, instant

# Code, aggregation, the property it reads.
METERS = [
    ("tokens", "SUM", ""),
    ("jobs", "COUNT", ""),
    ("peak", "MAX", ""),
    ("seats", "LAST", ""),
    ("users", "UNIQUE", "user"),
    ("traffic", "SUM", "bytes"),
]
EACH = Price(UsageModel.PER_UNIT, Decimal("0.01"))
LARGE = {"model": ("large", "huge")}
# All but `traffic` have a component for large models; `users` one for a region, too.
USAGE = (
    UsageTerms("traffic", EACH),
    *(UsageTerms(code, EACH, LARGE) for code in ("tokens", "jobs", "peak", "seats", "users")),
    UsageTerms("users", EACH, {"region": ("eu",)}),
    *(UsageTerms(code, EACH) for code in ("tokens", "jobs", "peak", "seats", "users")),
)


def metered_terms(**changes: Any) -> PlanTerms:
    """Calendar months without a trial, priced by all meters."""
    return seed_terms("0", "0", "0", trial_days=0, usage=USAGE, **changes)


def make_meters() -> None:
    """All of `METERS`."""
    for code, aggregation, field in METERS:
        builders.make_meter(code, aggregation=aggregation, field=field)


def subscriber(world: World, name: str = "alice", **fields: str) -> Customer:
    """Somebody on the plan with all meters, from the world's present on, paying by card."""
    make_meters()
    if "Metered" not in world.plans:
        world.plans["Metered"] = builders.make_plan("Metered", metered_terms())
    customer = world.customer(name, **fields)
    world.adds_card(customer)
    world.subscribes(customer, "Metered")
    return customer


def report(
    event_id: str,
    meter: str = "tokens",
    quantity: str = "1",
    at: str | datetime | None = None,
    **properties: Any,
) -> Report:
    """Alice's, or whose `customer` says."""
    customer = properties.pop("customer", "alice")
    return Report(
        event_id=event_id,
        customer=customer,
        meter=meter,
        quantity=Decimal(quantity),
        occurred_at=instant(at) if isinstance(at, str) else at,
        properties=properties,
    )


def open_period(customer: Customer) -> BillingPeriod:
    """The one that is not closed."""
    return BillingPeriod.objects.get(customer=customer, closed_at=None)


def counted(period: BillingPeriod) -> dict[str, Decimal]:
    """Component → what it counted, where that is not nothing."""
    rows = UsageTotal.objects.filter(period=period).exclude(quantity=0)
    return {row.component: row.quantity.normalize() for row in rows}


def values(period: BillingPeriod) -> dict[tuple[str, str], tuple[int, date]]:
    """Component and value → how many events saw it, since when."""
    rows = UsageValue.objects.filter(period=period)
    return {(row.component, row.value): (row.events, row.day) for row in rows}


def days(customer: Customer, meter: str) -> dict[str, Decimal]:
    """Local day → what it counted, where that is not nothing."""
    rows = UsageDay.objects.filter(customer=customer, meter__code=meter).exclude(quantity=0)
    return {f"{row.day:%m-%d}": row.quantity.normalize() for row in rows}


def cut(customer: Customer, at: datetime) -> None:
    """Let the open period count up to then, as a command does."""
    _moved(customer, at, until_later=False)


def extend(customer: Customer, until: datetime) -> None:
    """Let the open period count up to then again, as a command does."""
    _moved(customer, until, until_later=True)


@transaction.atomic
def _moved(customer: Customer, at: datetime, *, until_later: bool) -> None:
    locks.customer(customer.pk)
    locks.live_subscription(customer.pk)
    (usage.extend if until_later else usage.cut)(open_period(customer), at)


@transaction.atomic
def closed(period: BillingPeriod) -> dict[str, Decimal]:
    """The totals of a period, as the billing run closes and reads them."""
    return usage.close([period])[period.pk]


@transaction.atomic
def adjusted(customer: Customer) -> dict[str, tuple[Decimal, Decimal]]:
    """Component → billed before and counted now, where that differs, as the next invoice has it."""
    subscriptions = BillingPeriod.objects.filter(customer=customer).values_list("subscription")
    found = usage.to_adjust([pk for (pk,) in subscriptions.distinct()])
    return {
        component: (billed.normalize(), adjustment.now[component].normalize())
        for adjustment in found.values()
        for component, billed in adjustment.billed.items()
        if billed != adjustment.now[component]
    }


@dataclass(frozen=True)
class Told:
    """An event as it stands, as the test knows it."""

    meter: str
    at: datetime
    quantity: Decimal
    properties: Mapping[str, Any]

    @property
    def component(self) -> str:
        """Where it counts, read off `USAGE` by hand."""
        if self.meter != "traffic" and self.properties.get("model") in {"large", "huge"}:
            return f"{self.meter}[model=large|huge]"
        if self.meter == "users" and self.properties.get("region") == "eu":
            return "users[region=eu]"
        return self.meter


def total_of(aggregation: str, events: list[Told]) -> Decimal:
    """What a meter makes of events."""
    if aggregation == "COUNT":
        return Decimal(len(events))
    if aggregation == "UNIQUE":
        return Decimal(len({event.properties["user"] for event in events}))
    if aggregation == "LAST":
        return max((event.at, event.quantity) for event in events)[1] if events else Decimal(0)
    quantities = [event.quantity for event in events]
    return (
        max(quantities, default=Decimal(0)) if aggregation == "MAX" else sum(quantities, Decimal(0))
    )
