"""The search of transactions: what moved, what it cost, and when one gets to see it."""

from __future__ import annotations

from typing import Any

from tests.paypal_sandbox.conftest import Client, Clock

PERIOD = "/v1/reporting/transactions?start_date=2027-01-15T00:00:00Z&end_date=2027-01-31T00:00:00Z"


def found(client: Client, more: str = "") -> list[Any]:
    return [one["transaction_info"] for one in client.get(PERIOD + more)["transaction_details"]]


def test_payments_refunds_and_reversals_are_there_with_their_fees(
    client: Client, clock: Clock
) -> None:
    capture = client.captured(invoice_id="I-1", custom_id="c-1")
    clock.now += 1
    client.refund(capture, "4.00")
    clock.now += 1
    client.control("POST", "disputes/open", capture=capture["id"])
    dispute = client.get("/v1/customer/disputes")["items"][0]["dispute_id"]
    client.control("POST", "disputes/decide", dispute=dispute, outcome="buyer")

    paid, refunded, reversed_ = found(client)

    assert (paid["transaction_id"], paid["invoice_id"], paid["custom_field"]) == (
        capture["id"], "I-1", "c-1",
    )  # fmt: skip
    assert (paid["transaction_amount"]["value"], paid["fee_amount"]["value"]) == ("10.00", "-0.84")
    assert (paid["transaction_event_code"], paid["transaction_status"]) == ("T0003", "V")
    assert (refunded["transaction_event_code"], refunded["transaction_amount"]["value"]) == (
        "T1107", "-4.00",
    )  # fmt: skip
    assert refunded["paypal_reference_id"] == capture["id"]
    assert (reversed_["transaction_event_code"], reversed_["transaction_amount"]["value"]) == (
        "T1106", "-6.00",
    )  # fmt: skip


def test_it_can_be_narrowed_down(client: Client) -> None:
    capture = client.captured()
    client.captured("vault_pending")

    assert len(found(client)) == 1
    assert len(found(client, "&balance_affecting_records_only=N")) == 2
    assert len(found(client, f"&transaction_id={capture['id']}")) == 1
    assert found(client, "&transaction_id=NOBODYS0000000000") == []
    assert "payer_info" in client.get(f"{PERIOD}&fields=all")["transaction_details"][0]


def test_transactions_may_appear_late(client: Client, clock: Clock) -> None:
    client.control("POST", "reporting", lag=3 * 3600)
    client.captured()
    assert found(client) == []

    clock.now += 3 * 3600

    assert len(found(client)) == 1


def test_a_search_spans_at_most_a_month(client: Client) -> None:
    path = "/v1/reporting/transactions?start_date=2027-01-01T00:00:00Z"
    assert client.ask("GET", f"{path}&end_date=2027-02-02T00:00:00Z").status == 400
    assert client.ask("GET", path).issue == "MISSING_REQUIRED_PARAMETER"
