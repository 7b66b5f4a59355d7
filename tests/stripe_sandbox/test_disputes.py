"""Disputes: a bank takes a payment back, hears the other side, and decides."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from tests.stripe_sandbox.conftest import Control


class Upload(BytesIO):
    """A file with a name."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


def pay(api: stripe.V1Services, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    wish: Any = {
        "amount": 5000,
        "currency": "eur",
        "payment_method": method,
        "payment_method_types": ["card"],
        "confirm": True,
        **more,
    }
    return api.payment_intents.create(wish)


def disputed(
    api: stripe.V1Services, method: str = "pm_card_createDispute", **more: Any
) -> stripe.Dispute:
    return api.disputes.list({"payment_intent": pay(api, method, **more).id}).data[0]


def types(api: stripe.V1Services, limit: int) -> list[str]:
    return [str(event.type) for event in api.events.list({"limit": limit}).data][::-1]


def test_a_dispute_takes_the_money_and_a_fee(api: stripe.V1Services) -> None:
    dispute = disputed(api)

    assert (dispute.status, dispute.amount, dispute.reason) == (
        "needs_response",
        5000,
        "fraudulent",
    )
    [taken] = dispute.balance_transactions
    assert (taken.amount, taken.fee, taken.net) == (-5000, 1500, -6500)
    assert (taken.type, taken.reporting_category, taken.source) == (
        "adjustment",
        "dispute",
        dispute.id,
    )
    assert [detail.description for detail in taken.fee_details] == ["Dispute fee"]
    charge = api.charges.retrieve(str(dispute.charge))
    assert (charge.disputed, charge.payment_intent) == (True, dispute.payment_intent)
    assert types(api, 2) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    with pytest.raises(stripe.InvalidRequestError, match="charged back") as refusal:
        api.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_disputed"
    assert api.disputes.list({"charge": charge.id}).data[0].id == dispute.id
    assert api.disputes.list({"charge": "ch_0"}).data == []


@pytest.mark.parametrize(
    ("text", "status", "last", "moved"),
    [
        ("winning_evidence", "won", "charge.dispute.funds_reinstated", [-5000, 5000]),
        ("losing_evidence", "lost", "charge.dispute.closed", [-5000]),
        ("We delivered.", "under_review", "charge.dispute.updated", [-5000]),
    ],
)
def test_evidence_decides(
    *, api: stripe.V1Services, text: str, status: str, last: str, moved: list[int]
) -> None:
    dispute = disputed(api)
    pdf = Upload("proof of delivery.PDF", b"%PDF-1.7\r\n\x00\xff\n--not-the-boundary\r\n" * 50)
    file = api.files.create({"purpose": "dispute_evidence", "file": pdf})
    assert (file.filename, file.size, file.type) == (
        "proof of delivery.PDF",
        len(pdf.getvalue()),
        "pdf",
    )
    staged = api.disputes.update(
        dispute.id, {"evidence": {"receipt": file.id}, "submit": False, "metadata": {"a": "b"}}
    )
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)

    after = api.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": text}, "submit": True}
    )

    assert (after.status, after.evidence.receipt) == (status, file.id)
    assert (after.evidence_details.has_evidence, after.evidence_details.submission_count) == (
        True,
        1,
    )
    assert after.to_dict()["metadata"] == {"a": "b"}
    assert [entry.amount for entry in after.balance_transactions] == moved
    assert types(api, 1) == [last]
    with pytest.raises(stripe.InvalidRequestError):
        api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "more"}})


def test_files_are_known_by_name_only(api: stripe.V1Services, remote: stripe.V1Services) -> None:
    png = Upload("/home/alice/photo", b"\x89PNG\r\n\x1a\n\x00\r\r\n")
    file = remote.files.create({"purpose": "dispute_evidence", "file": png})
    assert (file.filename, file.size, file.type) == ("photo", 12, "png")
    assert remote.files.retrieve(file.id).purpose == "dispute_evidence"

    with pytest.raises(stripe.InvalidRequestError, match="not supported"):
        api.files.create({"purpose": "dispute_evidence", "file": Upload("a.exe", b"MZ")})
    dispute = disputed(api)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.disputes.update(dispute.id, {"evidence": {"receipt": "file_0"}})
    assert refusal.value.param == "evidence[receipt]"


def test_giving_in_loses(api: stripe.V1Services) -> None:
    dispute = disputed(api)

    assert api.disputes.close(dispute.id).status == "lost"

    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        api.disputes.close(dispute.id)
    assert types(api, 1) == ["charge.dispute.closed"]


def test_an_inquiry_takes_nothing_yet(api: stripe.V1Services) -> None:
    asked, told = (disputed(api, "pm_card_createDisputeInquiry") for _ in range(2))
    assert (asked.status, asked.balance_transactions) == ("warning_needs_response", [])
    assert api.refunds.create({"charge": str(asked.charge), "amount": 100}).status == "succeeded"

    closed = api.disputes.update(asked.id, {"evidence": {"uncategorized_text": "losing_evidence"}})
    worse = api.disputes.update(
        told.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}}
    )

    assert closed.status == "warning_closed"
    assert worse.status == "needs_response"
    assert [entry.net for entry in worse.balance_transactions] == [-6500]


def test_disputes_are_opened_and_decided_by_hand(
    sandbox: Sandbox, *, api: stripe.V1Services, control: Control
) -> None:
    paid = pay(api, currency="jpy")

    opened = control(
        "POST", "disputes/open", payment_intent=paid.id, reason="duplicate", amount=2000
    )
    assert (opened["reason"], opened["amount"]) == ("duplicate", 2000)
    assert opened["balance_transactions"][0]["fee"] == 15
    won = control("POST", "disputes/decide", dispute=opened["id"], status="won")

    assert won["status"] == "won"
    assert [entry["net"] for entry in won["balance_transactions"]] == [-2015, 2000]
    assert api.refunds.create({"payment_intent": paid.id}).amount == 5000
    for name, wish in (
        ("open", {"charge": "ch_0"}),
        ("open", {"payment_intent": paid.id, "reason": "whim"}),
        ("open", {"payment_intent": paid.id, "amount": 5001}),
        ("decide", {"dispute": opened["id"], "status": "won"}),
        ("decide", {"dispute": opened["id"], "status": "maybe"}),
    ):
        assert sandbox.handle("POST", f"/_control/disputes/{name}", json.dumps(wish)).status == 400
