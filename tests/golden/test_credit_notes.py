"""Replays the table of credit notes: what of an invoice's lines is credited, with its tax."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.core import crediting
from billing.core.crediting import WHOLE, Billed, Request, Wish
from billing.core.money import Money
from billing.core.taxes import Tax, TaxCategory, TaxRounding, reckon
from tests.golden.tables import Row, amounts, money, name_of, rows


@pytest.mark.parametrize("row", rows("credit_notes.csv"), ids=name_of)
def test_credit_notes(row: Row) -> None:
    """A line each, of one percentage each and two pieces."""
    stated = amounts(row, "lines")
    taxes = [Tax(TaxCategory.STANDARD, Decimal(percent)) for percent in row["percents"].split()]
    taxed = reckon(
        stated,
        taxes,
        included=[row["prices"] == "with tax"] * len(stated),
        currency=row["currency"],
        rounding=TaxRounding.DOCUMENT,
    )
    lines = [
        Billed(str(index), net, tax, amount, quantity=Decimal(2))
        for index, (net, tax, amount) in enumerate(
            zip(taxed.nets, taxes, taxed.amounts, strict=True)
        )
    ]

    found = crediting.credit(lines, asked(row), currency=row["currency"])

    assert found.net == money(row, "net")
    assert found.tax == money(row, "tax")
    assert found.total == money(row, "gross")


def asked(row: Row) -> Request:
    """`all`, `amount 5.00`, or lines: `0:5.00` net, `1:all`, `2:q1/2` a half of it."""
    text, currency = row["credited"], row["currency"]
    if text == "all":
        return WHOLE
    if text.startswith("amount "):
        return Request(amount=Money.parse(text.removeprefix("amount "), currency))
    return Request(wishes=tuple(wish(part, currency) for part in text.split()))


def wish(text: str, currency: str) -> Wish:
    """One line's."""
    key, _, much = text.partition(":")
    if much == "all":
        return Wish(key)
    if much.startswith("q"):
        pieces, _, of = much.removeprefix("q").partition("/")
        return Wish(key, quantity=Decimal(2) * Decimal(pieces) / Decimal(of))
    return Wish(key, net=Money.parse(much, currency))
