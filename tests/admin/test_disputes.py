"""Answering a gateway's dispute, with a file."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing import clock
from billing.core.lifecycle import DisputeStatus
from billing.gateways import base, registry
from billing.gateways.abilities import Evidence
from billing.gateways.base import GatewayUnavailableError
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import Dispute, DisputeEvidence
from billing.services import disputes
from customers.models import Customer, User
from tests.admin.pressing import text_of
from tests.admin.urls_of import action, change, changelist
from tests.services.returning import payment_of, pays
from tests.world import World

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.4 proof"


class Court(SandboxGateway):
    """A gateway that takes evidence."""

    def __init__(self) -> None:
        self.taken: list[Evidence] = []
        self.is_away = False

    def submit_evidence(self, dispute_external_id: str, evidence: Evidence) -> base.Dispute:
        if self.is_away:
            raise GatewayUnavailableError("Nobody is there.")
        self.taken.append(evidence)
        row = Dispute.objects.get(external_id=dispute_external_id)
        return base.Dispute(dispute_external_id, "", row.amount, DisputeStatus.OPEN)


@pytest.fixture
def court(monkeypatch: pytest.MonkeyPatch) -> Court:
    """In the sandbox's place."""
    gateway = Court()
    offered = {**registry.offered(), "sandbox": gateway}
    monkeypatch.setattr(registry, "offered", lambda: offered)
    return gateway


@pytest.fixture
def carol(world: World) -> Customer:
    """A customer who pays by card."""
    return world.at("2026-04-01").customer("carol")


@pytest.fixture
def dispute(world: World, carol: Customer, court: Court) -> Dispute:
    """Her bank contests what she paid."""
    payment = payment_of(pays(world, carol, "100.00"))
    told = base.Dispute(
        "dp_1",
        "",
        payment.amount,
        DisputeStatus.OPEN,
        "fraudulent",
        clock.now() + timedelta(days=2),
    )
    return disputes.follow(payment.pk, told, now=world.now)


def upload(content: bytes = PDF, kind: str = "application/pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile("proof.pdf", content, kind)


def test_evidence_is_submitted_with_a_file(
    dispute: Dispute, court: Court, operator: Client
) -> None:
    assert action(dispute, "submit_evidence") in operator.get(change(dispute)).content.decode()
    asked = operator.get(action(dispute, "submit_evidence")).content.decode()
    assert 'enctype="multipart/form-data"' in asked
    assert "told to the gateway" in asked

    answer = operator.post(
        action(dispute, "submit_evidence"),
        {"text": "They used it.", "document": upload()},
        follow=True,
    )

    assert [str(it) for it in answer.context["messages"]] == ["The evidence is submitted."]
    [evidence] = court.taken
    assert evidence.text == "They used it."
    [document] = evidence.documents
    assert (document.name, document.content_type) == ("proof.pdf", "application/pdf")
    assert document.content == PDF
    row = DisputeEvidence.objects.get()
    me = User.objects.get(email="root@example.org")
    assert (row.created_by, row.submitted_at is None) == (f"user:{me.pk}", False)
    page = operator.get(change(dispute)).content.decode()
    assert action(dispute, "submit_evidence") not in page
    assert sha256(PDF).hexdigest() in page
    assert "They used it." in page


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"text": ""}, "There is nothing in it."),
        ({"document": upload(kind="text/html")}, "Files are PDF, JPEG or PNG."),
        ({"document": upload(b"x" * (5 * 2**20 + 1))}, "The file is too large."),
        ({"text": "x" * 20_001}, "at most 20000 characters"),
    ],
)
def test_what_is_not_taken_is_said_beside_it(
    dispute: Dispute, operator: Client, entered: dict[str, object], sentence: str
) -> None:
    page = operator.post(action(dispute, "submit_evidence"), entered)

    assert page.status_code == 200
    assert sentence in text_of(page.content)
    assert not DisputeEvidence.objects.exists()


def test_a_gateway_that_is_away_takes_it_later(
    dispute: Dispute, court: Court, operator: Client
) -> None:
    court.is_away = True
    page = text_of(operator.post(action(dispute, "submit_evidence"), {"text": "No."}).content)
    assert "The payment gateway does not answer. Please try again." in page
    assert "No." in page

    court.is_away = False
    operator.post(action(dispute, "submit_evidence"), {"text": "No."})

    assert len(court.taken) == 1


def test_disputes_whose_evidence_is_due_are_found(
    dispute: Dispute, court: Court, operator: Client
) -> None:
    def due() -> int:
        listed = operator.get(f"{changelist(Dispute)}?evidence=soon")
        count: int = listed.context["cl"].result_count
        return count

    Dispute.objects.update(evidence_due_at=clock.now() + timedelta(days=2))
    assert due() == 1
    operator.post(action(dispute, "submit_evidence"), {"text": "No."})
    Dispute.objects.update(evidence_due_at=clock.now() + timedelta(days=2))
    assert due() == 0
    assert operator.get(f"{changelist(Dispute)}?evidence=given").context["cl"].result_count == 1


def test_who_has_no_right_answers_nothing(dispute: Dispute, court: Court, guest: Client) -> None:
    page = guest.post(action(dispute, "submit_evidence"), {"text": "No."})

    assert page.status_code == 403
    assert court.taken == []
