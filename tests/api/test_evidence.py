"""`/disputes/{id}/evidence`."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from billing.gateways.abilities import Document, Evidence
from billing.gateways.base import GatewayRejectedError, GatewayUnavailableError
from billing.models import Dispute as DisputeRow
from billing.models import DisputeEvidence
from billing.services import evidence, payments
from tests.api.calling import Caller, caller
from tests.api.stage import NOW, Stage, set_stage
from tests.hearing import HearingGateway
from tests.offering import offer

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.4"
PROOF = {"name": "order.pdf", "content_type": "application/pdf", "content": "JVBERi0xLjQ="}


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> HearingGateway:
    """Takes evidence."""
    there = HearingGateway()
    offer(monkeypatch, there)
    return there


@pytest.fixture
def stage(gateway: HearingGateway) -> Stage:
    """Alice, who has paid 25.00."""
    there = set_stage()
    attempt = payments.charge(there.invoice.pk, by="test", now=NOW)
    assert attempt is not None
    payments.collect(attempt.pk, now=NOW)
    return there


@pytest.fixture
def contested(stage: Stage, gateway: HearingGateway) -> DisputeRow:
    """Which her bank contests."""
    return gateway.contested(NOW)


def test_a_dispute_is_answered_once(
    operator: Caller, gateway: HearingGateway, contested: DisputeRow
) -> None:
    address = f"/disputes/{contested.pk}"
    before = operator.get(address).body
    assert (before["evidence_due_at"], before["evidence"]) == ("2026-04-15T00:00:00Z", [])

    answer = operator.post(f"{address}/evidence", {"text": "They had it.", "documents": [PROOF]})

    assert answer.status == 200
    assert gateway.heard == [
        Evidence("They had it.", (Document("order.pdf", "application/pdf", PDF),))
    ]
    assert answer.body == {
        **before,
        "version": before["version"] + 1,
        "evidence_due_at": None,
        "evidence": [
            {
                "created_at": "2026-04-01T09:00:00Z",
                "submitted_at": "2026-04-01T09:00:00Z",
                "text": "They had it.",
                "documents": [{"name": "order.pdf", "size": 8, "sha256": sha256(PDF).hexdigest()}],
            }
        ],
    }
    assert operator.get(address).body == answer.body
    assert operator.get("/disputes").body["disputes"] == [answer.body]
    again = operator.post(f"{address}/evidence", {"text": "And more."})
    assert (again.status, again.code) == (409, "already_answered")


def test_evidence_that_wins(operator: Caller, stage: Stage, contested: DisputeRow) -> None:
    assert operator.get(f"/invoices/{stage.invoice.pk}").body["status"] == "in_protest"

    answer = operator.post(f"/disputes/{contested.pk}/evidence", {"text": "winning"})

    assert answer.body["status"] == "won"
    invoice = operator.get(f"/invoices/{stage.invoice.pk}").body
    assert (invoice["status"], invoice["amount_due"]) == ("paid", "0.00")
    late = operator.post(f"/disputes/{contested.pk}/evidence", {"text": "winning"})
    assert (late.status, late.code) == (409, "dispute_decided")


@pytest.mark.parametrize(
    ("failure", "status", "code", "left"),
    [
        # Whether it was heard is not known, so the next one with the key is the same answer.
        (GatewayUnavailableError("no answer"), 503, "gateway_unavailable", []),
        (GatewayRejectedError("too late"), 409, "rejected_by_gateway", [None]),
    ],
)
def test_what_the_gateway_did_not_take_may_be_sent_again(
    *,
    operator: Caller,
    gateway: HearingGateway,
    contested: DisputeRow,
    failure: Exception,
    status: int,
    code: str,
    left: list[None],
) -> None:
    address, body = f"/disputes/{contested.pk}/evidence", {"text": "They had it."}
    gateway.fails_with = failure

    answer = operator.post(address, body, idempotency_key="k1")

    assert (answer.status, answer.code) == (status, code)
    gateway.fails_with = None
    taken = operator.post(address, body, idempotency_key="k1")
    assert taken.status == 200
    found = [row["submitted_at"] for row in taken.body["evidence"]]
    assert found == [*left, "2026-04-01T09:00:00Z"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "no_evidence"),
        ({"text": "  "}, "no_evidence"),
        ({"text": "x" * (evidence.LARGEST_TEXT + 1)}, "max_length"),
        ({"documents": [{**PROOF, "content": ""}]}, "bad_file"),
        ({"documents": [{**PROOF, "content": "JVBERi0xLjQ"}]}, "invalid_request"),
        ({"documents": [{**PROOF, "content": "naïve"}]}, "invalid_request"),
        ({"documents": [{**PROOF, "content_type": "text/html"}]}, "invalid_choice"),
        ({"documents": [{**PROOF, "name": ""}]}, "blank"),
        ({"documents": [PROOF] * 21}, "max_length"),
        ({"files": [PROOF]}, "unknown_field"),
    ],
)
def test_what_makes_no_sense_is_not_handed_on(
    *,
    operator: Caller,
    gateway: HearingGateway,
    contested: DisputeRow,
    body: dict[str, Any],
    code: str,
) -> None:
    answer = operator.post(f"/disputes/{contested.pk}/evidence", body)

    assert (answer.status, answer.code) == (400, code)
    assert gateway.heard == []
    assert not DisputeEvidence.objects.exists()


def test_a_file_may_be_as_large_as_it_may_be_and_no_larger(
    operator: Caller, gateway: HearingGateway, contested: DisputeRow
) -> None:
    def send(size: int) -> Any:
        content = b64encode(b"x" * size).decode()
        proof = {**PROOF, "content": content}
        return operator.post(f"/disputes/{contested.pk}/evidence", {"documents": [proof]})

    too_large, longer = send(evidence.LARGEST_FILE + 1), send(evidence.LARGEST_FILE + 3)
    whole = send(7 * 2**20)

    assert (too_large.status, longer.status, whole.status) == (400, 400, 413)
    assert gateway.heard == []
    assert send(evidence.LARGEST_FILE).status == 200


def test_what_a_customer_contests_is_decided_instead(operator: Caller, stage: Stage) -> None:
    alice = caller(stage.alice)
    alice.patch(f"/invoices/{stage.invoice.pk}", {"status": "in_protest"})
    [row] = operator.get("/disputes").body["disputes"]

    answer = operator.post(f"/disputes/{row['id']}/evidence", {"text": "They had it."})

    assert (answer.status, answer.code) == (409, "not_at_a_gateway")
    refused = alice.post(f"/disputes/{row['id']}/evidence", {"text": "They had it."})
    assert (refused.status, refused.code) == (403, "operator_only")
