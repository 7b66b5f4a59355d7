"""Money goes back, in parts or whole, and never more than there was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.paypal_sandbox.conftest import Client


def status(client: Client, capture: Any) -> str:
    return str(client.get(f"/v2/payments/captures/{capture['id']}")["status"])


def test_a_capture_goes_back_in_parts(client: Client) -> None:
    capture = client.captured(custom_id="c", invoice_id="I")
    answer = client.refund(capture, "4.00", invoice_id="R-1", custom_id="refund:1")
    part = answer.body

    assert (answer.status, part["status"], part["amount"]["value"]) == (201, "COMPLETED", "4.00")
    assert (part["invoice_id"], part["custom_id"]) == ("R-1", "refund:1")
    assert part["seller_payable_breakdown"]["total_refunded_amount"]["value"] == "4.00"
    assert client.get(f"/v2/payments/refunds/{part['id']}") == part
    assert part["links"][1]["rel"] == "up"
    assert part["links"][1]["href"].endswith(f"/captures/{capture['id']}")
    assert status(client, capture) == "PARTIALLY_REFUNDED"
    assert client.refund(capture, "6.01").issue == "REFUND_AMOUNT_EXCEEDED"
    assert client.refund(capture, "1.00", invoice_id="R-1").issue == "DUPLICATE_INVOICE_ID"

    rest = client.refund(capture).body

    assert rest["amount"]["value"] == "6.00"
    assert status(client, capture) == "REFUNDED"
    assert client.refund(capture).issue == "CAPTURE_FULLY_REFUNDED"
    told = client.event("PAYMENT.CAPTURE.REFUNDED")
    assert (told["resource_type"], told["resource"]) == ("refund", rest)


def test_what_cannot_be_refunded_says_so(client: Client) -> None:
    pending = client.captured("vault_pending")
    assert client.refund(pending).issue == "PENDING_CAPTURE"
    client.control("POST", "captures/settle", capture=pending["id"], status="declined")
    assert client.refund(pending).issue == "REFUND_NOT_ALLOWED"

    capture = client.captured()
    assert client.refund(capture, "1", currency="EUR").issue == "REFUND_CAPTURE_CURRENCY_MISMATCH"
    assert client.refund({"id": "NOBODYS0000000000"}).status == 404


@pytest.mark.parametrize(
    ("outcome", "then", "left"),
    [("completed", "REFUNDED", False), ("failed", "COMPLETED", True)],
)
def test_a_refund_on_its_way_counts_until_it_fails(
    client: Client, outcome: str, then: str, *, left: bool
) -> None:
    capture = client.captured("vault_refund_pending")
    refund = client.refund(capture).body
    assert (refund["status"], status(client, capture)) == ("PENDING", "COMPLETED")
    assert client.events[-1] == "PAYMENT.REFUND.PENDING"
    assert client.refund(capture).issue == "CAPTURE_FULLY_REFUNDED"

    client.control("POST", "refunds/settle", refund=refund["id"], status=outcome)

    assert status(client, capture) == then
    assert (client.refund(capture).status == 201) == left


def test_a_failed_refund_gives_nothing_back(client: Client) -> None:
    capture = client.captured("vault_refund_failed")

    assert client.refund(capture).body["status"] == "FAILED"
    assert status(client, capture) == "COMPLETED"
    assert client.events[-1] == "PAYMENT.REFUND.FAILED"
