"""Data without invariants: plans and customers. Anything with money is made by the services."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from customers import services as customer_services
from customers.models import Customer, TestClock
from plans import services as plan_services
from plans.models import Meter, Plan
from plans.terms import PlanTerms
from tests.terms import TIERS, seed_terms

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def make_meter(code: str = "api_calls", **fields: Any) -> Meter:
    """A meter, the one of that code if it is there."""
    meter, _ = Meter.objects.get_or_create(code=code, defaults={"name": code, **fields})
    return meter


def make_plan(name: str = "Premium", terms: PlanTerms | None = None, **listing: Any) -> Plan:
    """A plan on sale."""
    make_meter()
    return plan_services.create(
        name,
        terms=terms or seed_terms("180", "400", "1.80"),
        by="test",
        now=LONG_AGO,
        listing=listing,
    )


def make_catalogue() -> dict[str, Plan]:
    """The four tiers of seed 003 by name."""
    return {
        name: make_plan(name, seed_terms(amount, included, above), tier=tier)
        for tier, name, amount, included, above in TIERS
    }


def make_customer(
    organization_id: str = "alice",
    *,
    now: datetime = LONG_AGO,
    test_clock: TestClock | None = None,
    **fields: Any,
) -> Customer:
    """A customer with details that must never reach a gateway."""
    details = {
        "name": f"{organization_id.capitalize()} Liddell",
        "email": f"{organization_id}@example.org",
        "line1": "1 Rabbit Hole",
        "phone": "+44 20 7946 0999",
        "city": "Oxford",
        "country": "GB",
        **fields,
    }
    return customer_services.create(
        organization_id, fields=details, by="test", now=now, test_clock=test_clock
    )


def sandbox() -> str:
    """The in-process gateway."""
    return "sandbox"
