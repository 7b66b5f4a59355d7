from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from billing.core.errors import ConflictError, InvalidError, UnavailableError
from billing.core.lifecycle import DisputeStatus
from billing.gateways.abilities import Document, Evidence
from billing.gateways.base import GatewayRejectedError, GatewayUnavailableError
from billing.models import Dispute as DisputeRow
from billing.models import DisputeEvidence, JournalEntry
from billing.services import disputes, evidence
from tests.hearing import DUE, HearingGateway
from tests.offering import offer
from tests.services.paying import bill, state
from tests.world import World

pytestmark = pytest.mark.django_db

PROOF = Document("Alice Liddell.pdf", "application/pdf", b"%PDF-1.4")
ANSWER = Evidence("They had it.", (PROOF,))


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> HearingGateway:
    there = HearingGateway()
    offer(monkeypatch, there)
    return there


@pytest.fixture
def contested(world: World, gateway: HearingGateway) -> DisputeRow:
    """A paid invoice that Alice's bank contests."""
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.charges(bill(world, alice, "25.00"))
    world.settles()
    return gateway.contested(world.now)


def submit(world: World, row: DisputeRow, given: Evidence = ANSWER) -> DisputeRow:
    return evidence.submit(row.pk, given, by="olga", now=world.now)


def test_it_is_handed_on_once_and_of_files_a_digest_is_kept(
    world: World, gateway: HearingGateway, contested: DisputeRow
) -> None:
    assert contested.evidence_due_at == DUE
    assert evidence.can_submit(contested)

    row = submit(world, contested)

    assert gateway.heard == [ANSWER]
    assert (row.status, row.evidence_due_at) == (DisputeStatus.OPEN, None)
    kept = DisputeEvidence.objects.get()
    assert (kept.text, kept.submitted_at) == ("They had it.", world.now)
    digest = sha256(PROOF.content).hexdigest()
    assert kept.documents == [{"name": "Alice Liddell.pdf", "size": 8, "sha256": digest}]
    fact = JournalEntry.objects.get(kind="EVIDENCE_SUBMITTED")
    assert fact.context["documents"] == [digest]
    assert "Liddell" not in str(fact.context)
    assert not evidence.can_submit(row)
    with pytest.raises(ConflictError, match="answered before"):
        submit(world, contested)


def test_evidence_that_wins_brings_the_money_back(world: World, contested: DisputeRow) -> None:
    [allocation] = contested.payment.allocations.select_related("invoice")
    assert state(allocation.invoice)[0] == "IN_PROTEST"

    row = submit(world, contested, Evidence("winning"))

    assert row.status == DisputeStatus.WON
    assert state(allocation.invoice) == ("PAID", "0.00")
    with pytest.raises(ConflictError, match="won"):
        submit(world, contested)


@pytest.mark.parametrize(
    "failure",
    [
        (GatewayUnavailableError("no answer"), UnavailableError),
        (GatewayRejectedError("too late"), ConflictError),
    ],
    ids=["silent", "refused"],
)
def test_what_the_gateway_did_not_take_may_be_submitted_again(
    world: World,
    gateway: HearingGateway,
    contested: DisputeRow,
    failure: tuple[Exception, type[Exception]],
) -> None:
    gateway.fails_with, error = failure
    with pytest.raises(error):
        submit(world, contested)
    assert evidence.can_submit(contested)
    assert not JournalEntry.objects.filter(kind="EVIDENCE_SUBMITTED").exists()

    gateway.fails_with = None
    submit(world, contested)

    assert DisputeEvidence.objects.filter(submitted_at__isnull=False).count() == 1


@pytest.mark.parametrize(
    "given",
    [
        Evidence(),
        Evidence("  "),
        Evidence("x" * (evidence.LARGEST_TEXT + 1)),
        Evidence(documents=(Document("a.exe", "application/x-msdownload", b"MZ"),)),
        Evidence(documents=(Document("a.pdf", "application/pdf", b""),)),
        Evidence(documents=(replace(PROOF, content=b"x" * (evidence.LARGEST_FILE + 1)),)),
    ],
    ids=["nothing", "blank", "long", "program", "empty", "large"],
)
def test_what_makes_no_sense_is_not_handed_on(
    world: World, gateway: HearingGateway, contested: DisputeRow, given: Evidence
) -> None:
    with pytest.raises(InvalidError):
        submit(world, contested, given)
    assert gateway.heard == []


def test_what_a_customer_contests_with_us_is_not_a_gateways(
    world: World, gateway: HearingGateway
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    invoice = bill(world, alice, "25.00")
    world.charges(invoice)
    world.settles()
    [row] = disputes.contest(
        invoice.pk, by="alice", reason="not mine", now=world.now + timedelta(days=1)
    )

    assert not evidence.can_submit(row)
    with pytest.raises(ConflictError, match="decide it"):
        submit(world, row)
