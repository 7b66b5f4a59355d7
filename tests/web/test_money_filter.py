"""Amounts as pages write them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from billing.core.money import Money
from billing.templatetags.dates import moment, until
from billing.templatetags.money import money, quantity, rate


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (123450, "USD", "$1,234.50"),
        (-123450, "USD", "-$1,234.50"),
        (1235, "JPY", "¥1,235"),
        (1235, "KWD", "KWD\xa01.235"),
        (1235, "IQD", "IQD\xa01.235"),  # three decimals by ISO 4217, none by habit
        (2**53, "EUR", "€90,071,992,547,409.92"),
    ],
)
def test_amounts_have_their_currencys_decimals(minor: int, currency: str, written: str) -> None:
    assert money(Money(minor, currency)) == written


def test_amounts_are_written_by_the_active_locale() -> None:
    with translation.override("de"):
        assert money(Money(123450, "EUR")) == "1.234,50\xa0€"


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [
        ("1.8", "USD", "$1.80"),
        ("0.0025", "USD", "$0.0025"),
        ("5", "JPY", "¥5"),
        ("180", "USD", "$180.00"),
    ],
)
def test_rates_keep_all_their_decimals(value: str, currency: str, written: str) -> None:
    assert rate(Decimal(value), currency) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("46.666666666667", "46.66…"),
        ("300.000000000000", "300"),
        ("0.5", "0.5"),
        ("0.000000125", "0.000000125"),
    ],
)
def test_long_quantities_are_cut(value: str, written: str) -> None:
    assert quantity(Decimal(value)) == written


def test_periods_are_written_by_their_days_in_the_active_zone() -> None:
    start, end = datetime(2026, 4, 11, 15, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)

    assert until(start, end) == "11 – 30 April 2026"
    assert until(datetime(2026, 3, 28, tzinfo=UTC), start) == "28 March – 11 April 2026"
    with timezone.override("Asia/Tokyo"):
        assert until(start, end) == "12 April – 1 May 2026"
        assert moment(start) == "12 April 2026, 00:00 JST"
