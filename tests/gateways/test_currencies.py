"""Amounts as Stripe counts them, replayed from a table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from billing.core.money import Money
from billing.gateways.base import GatewayRejectedError
from billing.gateways.stripe import currencies

with (Path(__file__).parent / "stripe_amounts.csv").open(encoding="utf-8") as table:
    ROWS = list(csv.DictReader(table))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['currency']} {row['minor']}")
def test_an_amount_is_what_stripe_calls_it_or_refused(row: dict[str, str]) -> None:
    amount = Money(int(row["minor"]), row["currency"])
    if row["stripe"] == "refused":
        with pytest.raises(GatewayRejectedError, match=row["currency"]):
            currencies.to_stripe(amount)
    else:
        assert currencies.to_stripe(amount) == int(row["stripe"])
        assert currencies.from_stripe(int(row["stripe"]), row["currency"].lower()) == amount
