"""`/coupons`."""

from __future__ import annotations

from typing import Any

import pytest

from plans.models import Coupon
from tests import builders
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db

MISSING = "0198d5a2-0000-7000-8000-000000000001"


def test_a_coupon_is_answered_as_it_was_sent(operator: Caller) -> None:
    plan = builders.make_plan()
    sent = {
        "code": "Welcome",
        "percent_off": "12.5",
        "duration": "repeating",
        "periods": 3,
        "max_redemptions": 500,
        "expires_at": "2026-12-31T23:00:00Z",
        "plans": [str(plan.pk)],
    }

    answer = operator.post("/coupons", sent)

    assert answer.status == 201
    assert answer.body == {
        **sent,
        "id": answer.body["id"],
        "amount_off": None,
        "currency": None,
        "redemptions": 0,
        "created_at": answer.body["created_at"],
        "retired_at": None,
    }
    assert operator.get("/coupons/Welcome").body == answer.body
    assert Coupon.objects.get().created_by.startswith("test (bsr_")


def test_what_is_left_out_is_usual(operator: Caller) -> None:
    body = operator.post("/coupons", {"code": "HALF", "percent_off": 50, "plans": []}).body

    assert (body["percent_off"], body["duration"], body["periods"]) == ("50", "once", None)
    assert (body["plans"], body["max_redemptions"], body["expires_at"]) == (None, None, None)


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("EUR", "5", "5.00"), ("JPY", "500", "500"), ("KWD", "1.234", "1.234")],
)
def test_an_amount_is_money_in_its_currency(
    operator: Caller, currency: str, amount: str, shown: str
) -> None:
    sent = {"code": "LESS", "amount_off": amount, "currency": currency, "duration": "forever"}

    body = operator.post("/coupons", sent).body

    assert (body["amount_off"], body["currency"], body["percent_off"]) == (shown, currency, None)
    assert operator.get("/coupons/LESS").body == body


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"code": "no spaces"}, "invalid_request", "code"),
        ({"code": None}, "null", "code"),
        ({"percent_off": None}, "invalid_terms", "percent_off"),
        ({"percent_off": "0"}, "invalid_terms", "percent_off"),
        ({"percent_off": "100.01"}, "invalid_terms", "percent_off"),
        ({"percent_off": "-5"}, "negative", "percent_off"),
        ({"amount_off": "5.00", "currency": "EUR"}, "invalid_terms", "percent_off"),
        ({"currency": "EUR"}, "invalid_terms", "currency"),
        ({"percent_off": None, "amount_off": "5.00"}, "invalid_terms", "currency"),
        (
            {"percent_off": None, "amount_off": "0", "currency": "EUR"},
            "invalid_terms",
            "amount_off",
        ),
        (
            {"percent_off": None, "amount_off": "1.5", "currency": "JPY"},
            "too_many_decimals",
            "amount_off",
        ),
        ({"currency": "EURO"}, "unknown_currency", "currency"),
        ({"duration": "always"}, "invalid_choice", "duration"),
        ({"duration": "repeating"}, "invalid_terms", "periods"),
        ({"periods": 3}, "invalid_terms", "periods"),
        ({"duration": "repeating", "periods": 0}, "min_value", "periods"),
        ({"max_redemptions": 0}, "min_value", "max_redemptions"),
        ({"expires_at": "tomorrow"}, "invalid_request", "expires_at"),
        ({"plans": [MISSING]}, "invalid_request", "plans"),
        ({"plans": ["gold"]}, "invalid_request", "plans.0"),
        ({"redemptions": 5}, "unknown_field", "redemptions"),
    ],
)
def test_bad_coupons(operator: Caller, changes: dict[str, Any], code: str, field: str) -> None:
    answer = operator.post("/coupons", {"code": "X", "percent_off": "10", **changes})

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]
    assert not Coupon.objects.exists()


def test_a_code_is_given_once_whatever_its_case(operator: Caller) -> None:
    operator.post("/coupons", {"code": "Welcome", "percent_off": "10"})
    operator.delete("/coupons/Welcome")

    again = operator.post("/coupons", {"code": "WELCOME", "percent_off": "20"})

    assert (again.status, again.code) == (409, "coupon_exists")
    assert operator.get("/coupons/welcome").body["code"] == "Welcome"


def test_a_retired_coupon_stays_readable(operator: Caller) -> None:
    for code in ("SPRING", "AUTUMN"):
        operator.post("/coupons", {"code": code, "percent_off": "10"})

    assert operator.delete("/coupons/spring").status == 204
    retired = operator.get("/coupons/SPRING").body["retired_at"]
    assert operator.delete("/coupons/SPRING").status == 204

    assert retired is not None
    assert operator.get("/coupons/SPRING").body["retired_at"] == retired
    assert [row["code"] for row in operator.get("/coupons").body["coupons"]] == ["AUTUMN"]


def test_a_coupon_that_never_was(operator: Caller) -> None:
    for answer in (operator.get("/coupons/NONE"), operator.delete("/coupons/NONE")):
        assert (answer.status, answer.code) == (404, "not_found")
