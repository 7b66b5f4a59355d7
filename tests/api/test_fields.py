"""Numbers, instants and words in bodies."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_framework import serializers

from billing.api.fields import (
    Amount,
    Exact,
    Flag,
    Instant,
    Json,
    Neutral,
    Strict,
    Text,
    Word,
    decimal,
    instant,
)
from billing.core.errors import InvalidError
from billing.core.money import Money
from customers.countries import codes
from plans.terms import Interval


class Body(Strict):
    """One of each."""

    name = Text(required=False)
    flag = Flag(required=False)
    exact = Exact(required=False)
    at = Instant(required=False)
    interval = Word(Interval, required=False)
    extra = Json(required=False)
    only = Neutral("in_arrears")
    none = Neutral(None)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("12.50", "12.5"),
        ("0", "0"),
        (7, "7"),
        (Decimal("0.1"), "0.1"),
        (Decimal("1E+2"), "100"),
        ("1.000000000000000", "1"),
        ("999999999999999.123456789012", "999999999999999.123456789012"),
    ],
)
def test_exact_numbers(given: Any, read: str) -> None:
    assert str(decimal(given)) == read


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("NaN", "invalid"),
        ("Infinity", "invalid"),
        ("1e3", "invalid"),
        ("1_000", "invalid"),
        (" 1", "invalid"),
        ("", "invalid"),
        ("٣", "invalid"),
        (True, "invalid"),
        (None, "invalid"),
        ([], "invalid"),
        ("-1", "negative"),
        (-1, "negative"),
        ("0.0000000000001", "too_many_decimals"),
        ("1000000000000000", "too_large"),
        (Decimal("1E+400"), "too_large"),
    ],
)
def test_what_is_no_exact_number(given: Any, code: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        decimal(given)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    "text", ["2026-04-11T15:00:00Z", "2026-04-11T17:00:00+02:00", "2026-04-11t15:00:00.000z"]
)
def test_instants_become_utc(text: str) -> None:
    assert instant(text) == datetime(2026, 4, 11, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-11T15:00:00",
        "2026-04-11",
        "2026-02-30T00:00:00Z",
        "20260411T150000Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        1775919600,
        None,
    ],
)
def test_what_is_no_instant(text: Any) -> None:
    assert instant(text) is None


def test_a_sound_body_is_read_and_what_is_neutral_left_out() -> None:
    body = Body(data={"interval": "month", "only": "in_arrears", "none": None, "extra": {"a": 1}})

    assert body.is_valid()
    assert body.validated_data == {"interval": Interval.MONTH, "extra": {"a": 1}}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"strange": 1}, "unknown_field"),
        ({"name": 5}, "invalid"),
        ({"name": None}, "null"),
        ({"flag": "true"}, "invalid"),
        ({"flag": 1}, "invalid"),
        ({"interval": "MONTH"}, "invalid_choice"),
        ({"interval": 1}, "invalid_choice"),
        ({"at": "yesterday"}, "invalid"),
        ({"extra": []}, "invalid"),
        ({"extra": {"a": [Decimal("0.1000000000000000000001")]}}, "inexact"),
        ({"extra": {"a": Decimal("1E+400")}}, "inexact"),
        ({"only": "in_advance"}, "not_supported"),
        ({"only": None}, "not_supported"),
        ({"none": {"amount": "5"}}, "not_supported"),
    ],
)
def test_each_fault_has_its_code(given: dict[str, Any], code: str) -> None:
    body = Body(data=given)

    assert not body.is_valid()
    (faults,) = body.errors.values()
    assert [fault.code for fault in faults] == [code]


def test_unknown_and_known_faults_are_told_together() -> None:
    body = Body(data={"strange": 1, "flag": "x"})

    with pytest.raises(serializers.ValidationError):
        body.is_valid(raise_exception=True)
    assert set(body.errors) == {"strange", "flag"}


@pytest.mark.parametrize(
    ("money", "shown"),
    [
        (Money(1250, "EUR"), "12.50"),
        (Money(500, "JPY"), "500"),
        (Money(1234, "KWD"), "1.234"),
        (Money(123456789, "USD"), "1234567.89"),
        (Money(-5, "USD"), "-0.05"),
    ],
)
def test_money_has_its_currencys_decimals(money: Money, shown: str) -> None:
    assert Amount().to_representation(money) == shown


def test_countries_are_countries() -> None:
    assert {"GB", "DE", "US", "JP", "KW", "XK"} <= codes()
    assert not {"EU", "ZZ", "UK", "XA", "001"} & codes()
