"""A payer complains; the merchant answers or gives in; PayPal decides."""

from __future__ import annotations

import json
from typing import Any

from tests.paypal_sandbox.conftest import Client, Clock, Heard

DISPUTES = "/v1/customer/disputes"
SCAN = b"\x89PNG\r\n\x1a\n" + "é".encode() + bytes(range(256)) * 4


def opened(client: Client, capture: Any, **more: str) -> Any:
    return client.control("POST", "disputes/open", capture=capture["id"], **more)


def prove(client: Client, dispute: Any) -> Heard:
    """Send a JSON part and a file."""
    evidence = {"evidences": [{"evidence_type": "PROOF_OF_FULFILLMENT", "notes": "It arrived."}]}
    body = b"\r\n".join(
        (
            b"--edge",
            b'Content-Disposition: form-data; name="input"',
            b"Content-Type: application/json",
            b"",
            json.dumps(evidence).encode(),
            b"--edge",
            b'Content-Disposition: form-data; name="file1"; filename="receipt.png"',
            b"Content-Type: image/png",
            b"",
            SCAN,
            b"--edge--",
            b"",
        )
    )
    path = f"{DISPUTES}/{dispute['dispute_id']}/provide-evidence"
    return client.ask("POST", path, body, {"Content-Type": "multipart/form-data; boundary=edge"})


def test_evidence_leads_to_a_review_and_a_decision(client: Client) -> None:
    capture = client.captured(invoice_id="I-1", custom_id="attempt:1")
    dispute = opened(client, capture, reason="UNAUTHORISED", amount="4.00")
    shown = client.get(f"{DISPUTES}/{dispute['dispute_id']}")
    about = shown["disputed_transactions"][0]
    assert (shown["status"], shown["reason"]) == ("WAITING_FOR_SELLER_RESPONSE", "UNAUTHORISED")
    assert shown["dispute_amount"] == {"currency_code": "USD", "value": "4.00"}
    assert (about["seller_transaction_id"], about["invoice_number"], about["custom"]) == (
        capture["id"], "I-1", "attempt:1",
    )  # fmt: skip
    assert client.refund(capture, "1.00").issue == "TRANSACTION_DISPUTED"

    assert prove(client, dispute).body["links"][0]["href"].endswith(dispute["dispute_id"])

    shown = client.get(f"{DISPUTES}/{dispute['dispute_id']}")
    assert shown["status"] == "UNDER_REVIEW"
    assert shown["evidences"][0]["source"] == "SUBMITTED_BY_SELLER"
    assert shown["evidences"][0]["documents"] == [{"name": "receipt.png"}]
    assert prove(client, dispute).issue == "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE"

    decision = {"dispute": dispute["dispute_id"], "outcome": "seller"}
    client.control("POST", "disputes/decide", **decision)
    shown = client.get(f"{DISPUTES}/{dispute['dispute_id']}")
    assert shown["dispute_outcome"] == {"outcome_code": "RESOLVED_SELLER_FAVOUR"}
    assert client.ask("POST", "/_control/disputes/decide", decision).status == 422
    assert client.get(f"/v2/payments/captures/{capture['id']}")["status"] == "COMPLETED"
    words = [event.rpartition(".")[2] for event in client.events if "DISPUTE" in event]
    assert words == ["CREATED", "UPDATED", "RESOLVED"]


def test_of_a_file_only_its_name_type_and_size_are_kept(client: Client) -> None:
    prove(client, opened(client, client.captured()))

    entry = client.control("GET", "requests?path=/v1/customer")["data"][-1]
    assert entry["params"][1] == {
        "name": "file1",
        "type": "image/png",
        "size": len(SCAN),
        "filename": "receipt.png",
    }


def test_to_give_in_is_to_pay_back(client: Client) -> None:
    capture = client.captured()
    client.refund(capture, "3.00")
    dispute = opened(client, capture)

    path = f"{DISPUTES}/{dispute['dispute_id']}/accept-claim"
    assert client.ask("POST", path, {"note": "Sorry."}).status == 200

    shown = client.get(f"{DISPUTES}/{dispute['dispute_id']}")
    assert (shown["status"], shown["dispute_outcome"]["outcome_code"]) == (
        "RESOLVED", "RESOLVED_BUYER_FAVOUR",
    )  # fmt: skip
    reversal = client.event("PAYMENT.CAPTURE.REVERSED")
    assert reversal["resource_type"] == "refund"
    assert reversal["resource"]["amount"]["value"] == "7.00"
    assert client.get(f"/v2/payments/captures/{capture['id']}")["status"] == "REFUNDED"
    assert client.ask("POST", path, {}).issue == "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE"


def test_cases_are_listed_newest_first_and_narrowed_down(client: Client, clock: Clock) -> None:
    capture = client.captured()
    old = opened(client, capture)
    clock.now += 60
    new = opened(client, client.captured())

    def listed(query: str) -> list[str]:
        return [one["dispute_id"] for one in client.get(f"{DISPUTES}?{query}")["items"]]

    assert listed("") == [new["dispute_id"], old["dispute_id"]]
    assert listed(f"disputed_transaction_id={capture['id']}") == [old["dispute_id"]]
    assert listed("start_time=2027-01-15T08:00:30.000Z") == [new["dispute_id"]]
    assert listed("dispute_state=RESOLVED") == []
    both = "?start_time=2027-01-15T08:00:30Z&disputed_transaction_id=X"
    assert client.ask("GET", DISPUTES + both).status == 400
    page = client.get(f"{DISPUTES}?page_size=1")
    onward = next(link["href"] for link in page["links"] if link["rel"] == "next")
    rest = client.get(onward.removeprefix("http://paypal.test"))
    assert [one["dispute_id"] for one in rest["items"]] == [old["dispute_id"]]
