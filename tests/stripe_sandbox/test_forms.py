"""Forms, as Stripe's clients write them."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_sandbox.errors import MalformedError
from stripe_sandbox.sdk import operations
from stripe_sandbox.wire.forms import decode


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1&a=2", {"a": "2"}),
        ("a=b%20c&d=%C3%A9", {"a": "b c", "d": "é"}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a%5Bb%5D=1", {"a": {"b": "1"}}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[0]=1&a[1]=2", {"a": {"0": "1", "1": "2"}}),
        ("a[][b]=1&a[][c]=2", {"a": [{"b": "1", "c": "2"}]}),
        ("a=", {"a": ""}),
    ],
)
def test_a_form_is_read(form: str, value: dict[str, Any]) -> None:
    assert decode(form) == value


def test_a_form_has_its_limits() -> None:
    with pytest.raises(MalformedError):
        decode("&".join(f"a[{at}]=1" for at in range(2_001)))
    with pytest.raises(MalformedError):
        decode("a" + "[b]" * 12 + "=1")


def test_numbered_items_are_in_order_of_their_numbers() -> None:
    record = operations.parameters("POST", "/v1/payment_intents")

    read = record.read(
        decode(
            "amount=100&currency=usd&payment_method_types[10]=c"
            "&payment_method_types[2]=b&payment_method_types[0]=a"
        ),
        "",
    )

    assert read["payment_method_types"] == ["a", "b", "c"]


def test_kinds_of_value_are_told_apart() -> None:
    prices = operations.parameters("POST", "/v1/prices")
    intents = operations.parameters("POST", "/v1/payment_intents")

    price = prices.read(decode("currency=usd&product=p&unit_amount_decimal=0.125"), "")
    tiers = prices.read(decode("currency=usd&tiers[0][up_to]=5&tiers[1][up_to]=inf"), "")
    intent = intents.read(decode("amount=100&currency=usd&off_session=recurring"), "")

    assert price["unit_amount_decimal"] == "0.125"
    assert [tier["up_to"] for tier in tiers["tiers"]] == [5, "inf"]
    assert intent["off_session"] == "recurring"
