"""Charging a saved account: paid, refused, on its way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.paypal_sandbox.conftest import Client

ORDERS = "/v2/checkout/orders"


def test_a_payment_is_captured_at_once(client: Client) -> None:
    answer = client.pay(custom_id="attempt:7", invoice_id="INV-7", reference_id="r")
    order = answer.body
    unit = order["purchase_units"][0]
    capture = unit["payments"]["captures"][0]

    assert (answer.status, order["status"], order["intent"]) == (201, "COMPLETED", "CAPTURE")
    assert (unit["reference_id"], unit["invoice_id"]) == ("r", "INV-7")
    assert (capture["status"], capture["custom_id"], capture["invoice_id"]) == (
        "COMPLETED", "attempt:7", "INV-7",
    )  # fmt: skip
    assert capture["seller_receivable_breakdown"] == {
        "gross_amount": {"currency_code": "USD", "value": "10.00"},
        "paypal_fee": {"currency_code": "USD", "value": "0.84"},
        "net_amount": {"currency_code": "USD", "value": "9.16"},
    }
    assert order["payment_source"]["paypal"]["email_address"] == "good@payer.example"
    assert client.get(f"{ORDERS}/{order['id']}") == order
    shown = client.get(f"/v2/payments/captures/{capture['id']}")
    assert shown == capture
    assert shown["supplementary_data"]["related_ids"]["order_id"] == order["id"]
    told = client.event("PAYMENT.CAPTURE.COMPLETED")
    assert (told["resource_type"], told["resource_version"]) == ("capture", "2.0")
    assert told["resource"] == capture
    assert told["id"].startswith("WH-")


def test_answers_are_short_unless_asked_for(client: Client) -> None:
    wish = {
        "intent": "CAPTURE",
        "purchase_units": [{"amount": {"currency_code": "USD", "value": "1"}}],
        "payment_source": {"paypal": {"vault_id": "vault_good"}},
    }
    answer = client.ask("POST", ORDERS, wish, {"PayPal-Request-Id": "a"})

    assert answer.body.keys() == {"id", "status", "links"}


@pytest.mark.parametrize(
    ("token", "issue"),
    [
        ("vault_declined", "INSTRUMENT_DECLINED"),
        ("vault_insufficient", "PAYER_CANNOT_PAY"),
        ("vault_closed", "PAYER_ACCOUNT_LOCKED_OR_CLOSED"),
    ],
)
def test_a_refusal_says_why(client: Client, token: str, issue: str) -> None:
    answer = client.pay(token)

    assert (answer.status, answer.body["name"]) == (422, "UNPROCESSABLE_ENTITY")
    assert answer.issue == issue
    assert answer.body.keys() == {"name", "message", "debug_id", "details", "links"}
    assert client.events == []


@pytest.mark.parametrize(
    ("outcome", "status", "event"),
    [
        ("completed", "COMPLETED", "PAYMENT.CAPTURE.COMPLETED"),
        ("declined", "DECLINED", "PAYMENT.CAPTURE.DECLINED"),
        ("denied", "DECLINED", "PAYMENT.CAPTURE.DENIED"),
    ],
)
def test_a_pending_capture_ends_one_way_or_the_other(
    client: Client, outcome: str, status: str, event: str
) -> None:
    capture = client.captured("vault_pending")
    assert capture["status"] == "PENDING"
    assert capture["status_details"] == {"reason": "PENDING_REVIEW"}
    assert "seller_receivable_breakdown" not in capture

    client.control("POST", "captures/settle", capture=capture["id"], status=outcome)

    settled = client.get(f"/v2/payments/captures/{capture['id']}")
    assert settled["status"] == status
    assert ("seller_receivable_breakdown" in settled) == (status == "COMPLETED")
    assert client.events == ["PAYMENT.CAPTURE.PENDING", event]
    again = {"capture": capture["id"], "status": outcome}
    assert client.ask("POST", "/_control/captures/settle", again).status == 422


def test_an_invoice_is_paid_once(client: Client) -> None:
    assert client.pay("vault_declined", invoice_id="INV-1").issue == "INSTRUMENT_DECLINED"
    assert client.pay(invoice_id="INV-1").status == 201

    assert client.pay(invoice_id="INV-1").issue == "DUPLICATE_INVOICE_ID"
    assert client.pay(invoice_id="INV-2").status == 201


@pytest.mark.parametrize(
    ("currency", "value", "issue"),
    [
        ("JPY", "100.00", "DECIMALS_NOT_SUPPORTED"),
        ("HUF", "1.5", "DECIMALS_NOT_SUPPORTED"),
        ("USD", "1.005", "DECIMAL_PRECISION"),
        ("USD", "0.00", "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("USD", "ten", "INVALID_PARAMETER_SYNTAX"),
        ("KWD", "1.00", "INVALID_CURRENCY_CODE"),
    ],
)
def test_an_amount_must_be_one_of_paypals(
    client: Client, currency: str, value: str, issue: str
) -> None:
    assert client.pay(value=value, currency=currency).issue == issue


def test_whole_currencies_stay_whole(client: Client) -> None:
    amounts = client.captured(value="1000", currency="JPY")["seller_receivable_breakdown"]

    assert [amount["value"] for amount in amounts.values()] == ["1000", "75", "925"]
    assert client.captured(value="5")["amount"]["value"] == "5.00"


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"intent": "AUTHORIZE"}, "NOT_SUPPORTED"),
        ({"payment_source": {}}, "NOT_SUPPORTED"),
        ({"purchase_units": []}, "MISSING_REQUIRED_PARAMETER"),
        (
            {"purchase_units": [{}, {}]},
            "MERCHANT_INITIATED_WITH_MULTIPLE_PURCHASE_UNITS",
        ),
        (
            {"payment_source": {"paypal": {"vault_id": "vault_good", "stored_credential": {}}}},
            "MISSING_REQUIRED_PARAMETER",
        ),
    ],
)
def test_an_order_it_cannot_follow_is_refused(client: Client, change: Any, issue: str) -> None:
    wish = {
        "intent": "CAPTURE",
        "purchase_units": [{"amount": {"currency_code": "USD", "value": "1"}}],
        "payment_source": {"paypal": {"vault_id": "vault_good"}},
    } | change

    assert client.ask("POST", ORDERS, wish, {"PayPal-Request-Id": "a"}).issue == issue
    assert client.ask("POST", ORDERS, b"{", {"PayPal-Request-Id": "a"}).issue == (
        "MALFORMED_REQUEST_JSON"
    )


def test_a_payment_needs_a_request_id(client: Client) -> None:
    answer = client.pay(request_id=None)

    assert (answer.status, answer.issue) == (400, "PAYPAL_REQUEST_ID_REQUIRED")
