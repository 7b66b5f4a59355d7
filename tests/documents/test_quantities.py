"""Quantity × price − discount = net, for any line there can be."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from billing.core.money import Money, round_minor
from billing.core.taxes import Tax, TaxCategory
from billing.documents.quantities import counted
from billing.documents.values import DocumentLine

_UNITS = st.decimals("0", "1000000", places=6, allow_nan=False)
_RATES = st.decimals("-1000", "1000", places=4, allow_nan=False)


@given(
    quantity=_UNITS,
    unit_amount=st.none() | _RATES,
    minor=st.integers(-(10**9), 10**9),
    off=st.integers(0, 100),
    is_product=st.booleans(),
)
def test_it_is_exact_and_no_price_is_below_nothing(
    *, quantity: Decimal, unit_amount: Decimal | None, minor: int, off: int, is_product: bool
) -> None:
    amount = Money(minor, "EUR")
    if is_product and unit_amount is not None:
        amount = round_minor(Fraction(quantity) * Fraction(unit_amount), "EUR")
    discount = Money(max(amount.minor, 0) * off // 100, "EUR")
    tax = Tax(TaxCategory.STANDARD, Decimal(19))
    line = DocumentLine("", "", quantity, unit_amount, amount, discount, amount - discount, tax)

    found = counted(line)

    assert found.price >= 0
    assert found.discount == discount
    exact = Fraction(found.quantity) * Fraction(found.price) / Fraction(found.per or 1)
    assert round_minor(exact, "EUR") - found.discount == line.net


@given(gross=st.integers(0, 10**9), off=st.integers(0, 100), percent=st.integers(0, 30))
def test_tax_within_a_price_is_no_part_of_it(gross: int, off: int, percent: int) -> None:
    amount, discount = Money(gross, "EUR"), Money(gross * off // 100, "EUR")
    stated = amount - discount
    inside = round_minor(Fraction(stated.major) * percent / (100 + percent), "EUR")
    tax = Tax(TaxCategory.STANDARD, Decimal(percent))
    line = DocumentLine(
        "",
        "",
        Decimal(1),
        amount.major,
        amount,
        discount,
        stated - inside,
        tax,
        is_tax_included=True,
    )

    found = counted(line)

    assert found.discount.minor >= 0
    assert found.quantity * found.price - found.discount.major == line.net.major
