"""Terms for tests, without a database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from plans.prices import Price, UsageModel
from plans.terms import Alignment, PlanTerms, UsageTerms

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
                "api_calls",
                Price(UsageModel.ALLOWANCE, Decimal(unit_amount), Decimal(included)),
            ),
        ),
    }
    return PlanTerms(**{**fields, **changes})
