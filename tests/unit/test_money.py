from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.errors import InvalidError
from billing.core.money import Money, allocate, round_half_away, round_minor, total

amounts = st.integers(min_value=-(10**15), max_value=10**15)
currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD"])


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.50", "EUR", 1250), ("500", "JPY", 500), ("1.234", "KWD", 1234), ("-0.01", "USD", -1)],
)
def test_an_amount_is_read_in_minor_units(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("0.5", "JPY"),
        ("1.001", "USD"),
        ("1.2345", "KWD"),
        ("NaN", "USD"),
        ("", "USD"),
        ("x", "EUR"),
    ],
)
def test_what_is_no_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(InvalidError):
        Money.parse(text, currency)


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(InvalidError, match="XYZ"):
        Money(1, "XYZ")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(InvalidError, match="do not mix"):
        Money(1, "USD") + Money(1, "EUR")


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0.5", 1), ("-0.5", -1), ("1.5", 2), ("2.5", 3), ("-2.5", -3), ("2.4999", 2), ("0", 0)],
)
def test_halves_are_rounded_away_from_zero(value: str, rounded: int) -> None:
    assert round_half_away(Decimal(value)) == rounded


@given(st.fractions(max_denominator=10**6))
def test_a_credit_mirrors_its_debit(value: Fraction) -> None:
    assert round_half_away(-value) == -round_half_away(value)


@given(st.fractions(max_denominator=10**6), currencies)
def test_rounding_moves_by_at_most_half_a_minor_unit(value: Fraction, currency: str) -> None:
    rounded = round_minor(value, currency)
    exact = value * 10 ** {"JPY": 0, "KWD": 3}.get(currency, 2)
    assert abs(rounded.minor - exact) <= Fraction(1, 2)


@given(amounts, currencies)
def test_major_units_are_read_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(money.major, currency) == money
    assert Money.read(str(money)) == money


@given(amounts, st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=20))
def test_parts_sum_to_the_whole(minor: int, weights: list[int]) -> None:
    if not any(weights):
        weights[0] = 1
    money = Money(minor, "EUR")
    parts = allocate(money, weights)
    assert total(parts, "EUR") == money
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - Fraction(minor * weight, whole)) < 1


def test_the_largest_remainders_get_what_is_left_over() -> None:
    assert [part.minor for part in allocate(Money(100, "USD"), [1, 1, 1])] == [34, 33, 33]
    assert [part.minor for part in allocate(Money(-5, "USD"), [1, 2])] == [-2, -3]


@pytest.mark.parametrize("weights", [[0, 0], [-1, 2], []])
def test_weights_must_be_positive(weights: list[int]) -> None:
    with pytest.raises(InvalidError):
        allocate(Money(1, "USD"), weights)
