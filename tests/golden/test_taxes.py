"""Replays the tables of tax: what lines bear, who is charged which, and what a credit takes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.core.money import Money, total
from billing.core.tax_policies import (
    Buyer,
    Place,
    Seller,
    Taxation,
    TaxNumber,
    TaxPolicyKind,
    WhenUnverified,
)
from billing.core.taxes import Tax, TaxCategory, TaxRounding, TaxTotal, credited, reckon
from tests.golden.tables import Row, amounts, bundled_rates, money, name_of, rows

RATES = bundled_rates()
ANSWERS = {"valid": True, "invalid": False, "unknown": None}


@pytest.mark.parametrize("row", rows("taxes.csv"), ids=name_of)
def test_taxes(row: Row) -> None:
    """A line each, of one percentage each."""
    lines = amounts(row, "lines")
    taxes = [Tax(TaxCategory.STANDARD, Decimal(percent)) for percent in row["percents"].split()]

    taxed = reckon(
        lines,
        taxes,
        included=[row["prices"] == "with tax"] * len(lines),
        currency=row["currency"],
        rounding=TaxRounding(row["rounding"]),
    )

    assert list(taxed.amounts) == amounts(row, "line taxes")
    assert taxed.base == money(row, "net")
    assert taxed.amount == money(row, "tax")
    assert taxed.total == money(row, "gross")
    assert total((each.amount for each in taxed.totals), row["currency"]) == taxed.amount
    assert total((each.base for each in taxed.totals), row["currency"]) == taxed.base


@pytest.mark.parametrize("row", rows("vat.csv"), ids=name_of)
def test_vat(row: Row) -> None:
    """With the rates that Bursar comes with; a buyer is a country and a postal code."""
    country, _, postal_code = row["buyer"].partition(" ")
    number, _, answer = row["number"].partition(" ")
    taxation = Taxation(
        Seller(
            Place(row["seller"]),
            TaxPolicyKind.EU_VAT,
            is_oss_registered=bool(row["oss"]),
            when_unverified=WhenUnverified(row["when unverified"]),
        ),
        Buyer(
            Place(country, postal_code=postal_code),
            TaxNumber(number, ANSWERS[answer]) if number else None,
        ),
        RATES,
    )

    tax = taxation.tax_of(row["class"], date.fromisoformat(row["on"]))

    assert tax.category == row["category"]
    assert tax.percent == Decimal(row["percent"])
    assert f"{tax.country} {tax.region}".strip() == row["levied by"]
    assert bool(tax.note) == (row["category"] in {"AE", "E", "G"})
    assert taxation.must_wait == bool(row["waits"])


@pytest.mark.parametrize("row", rows("credits.csv"), ids=name_of)
def test_credits(row: Row) -> None:
    """One credit after the other."""
    tax = Tax(TaxCategory.STANDARD, Decimal(row["percent"]))
    invoiced = TaxTotal(tax, money(row, "invoiced net"), money(row, "invoiced tax"))
    before = TaxTotal(tax, Money.zero(row["currency"]), Money.zero(row["currency"]))
    found = []
    for net in amounts(row, "credited net"):
        amount = credited(net, invoiced=invoiced, before=before)
        before = TaxTotal(tax, before.base + net, before.amount + amount)
        found.append(amount)

    assert found == amounts(row, "credited tax")
