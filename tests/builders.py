"""Data without invariants: plans and customers. Anything with money is made by the services."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from customers import services as customer_services
from customers.models import Customer, TestClock
from plans import services as plan_services
from plans.models import Meter, Plan
from plans.terms import Alignment, PlanTerms, UsageModel, UsageTerms

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

# Seed 003: tier, product, base charge, included units, price above.
TIERS = [
    (1, "Basic", "50", "100", "2.25"),
    (2, "Premium", "180", "400", "1.80"),
    (3, "Silver", "350", "900", "1.50"),
    (4, "Gold", "600", "1500", "1.25"),
]


def seed_terms(amount: str, included: str, unit_amount: str, **changes: Any) -> PlanTerms:
    """Terms as seed 003 has them: calendar months in USD, an allowance of API calls, a trial."""
    fields: dict[str, Any] = {
        "currency": "USD",
        "amount": Decimal(amount),
        "alignment": Alignment.CALENDAR,
        "first_day_counts": False,
        "trial_days": 14,
        "usage": (
            UsageTerms(
                meter="api_calls",
                model=UsageModel.ALLOWANCE,
                unit_amount=Decimal(unit_amount),
                included=Decimal(included),
            ),
        ),
    }
    return PlanTerms(**{**fields, **changes})


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
