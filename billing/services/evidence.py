"""Answering a dispute at the gateway that holds the money back.

What an operator writes and attaches goes to the gateway as it is: this is the one place where
more than an anonymous id is told to one, by a person's decision. Files are not kept here.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.core.errors import ConflictError, InvalidError, UnavailableError
from billing.core.lifecycle import DisputeStatus
from billing.gateways import registry
from billing.gateways.abilities import Evidence, TakesEvidence
from billing.gateways.base import Dispute as DisputeFact
from billing.gateways.base import Gateway, GatewayRejectedError, GatewayUnavailableError
from billing.models import Dispute, DisputeEvidence
from billing.models.refund import DisputeSource
from billing.services import calling, disputes, journal, locks
from billing.services.calling import Question

LARGEST_TEXT: Final = 20_000
LARGEST_FILE: Final = 5 * 2**20
TYPES: Final = frozenset({"application/pdf", "image/jpeg", "image/png"})


def can_submit(dispute: Dispute) -> bool:
    """Whether the gateway takes evidence on a dispute, and has none yet."""
    if dispute.source != DisputeSource.GATEWAY or dispute.status != DisputeStatus.OPEN:
        return False
    vendor = registry.offered().get(dispute.payment.gateway)
    return isinstance(vendor, TakesEvidence) and not _submitted(dispute)


def submit(
    dispute_id: UUID,
    evidence: Evidence,
    *,
    by: str,
    now: datetime,
    evidence_id: UUID | None = None,
) -> Dispute:
    """Answer a dispute, once and for all.

    :param evidence_id: by which the same answer is meant, should it have been begun.
    :raises InvalidError: if there is nothing in it, or a file is too large or of no known type.
    :raises ConflictError: if it is decided, was answered, or is not a gateway's; or if the gateway
        refuses the answer.
    :raises UnavailableError: if the gateway does not answer; whether it heard is not known then,
        and the same may be submitted again.
    """
    _require_sense(evidence)
    answer_id = evidence_id or uuid7()
    dispute, row = _begin(dispute_id, evidence, answer_id, by=by, now=now)
    if row.submitted_at is not None:
        return dispute
    question = Question(
        dispute.payment.gateway, "evidence", str(row.pk), dispute.customer.test_clock_id is not None
    )

    def put(gateway: Gateway) -> DisputeFact:
        if not isinstance(gateway, TakesEvidence):
            raise GatewayRejectedError(f"{gateway.name} takes no evidence.")
        return gateway.submit_evidence(dispute.external_id, evidence)

    try:
        fact = calling.ask(question, put, now=now)
    except GatewayUnavailableError as error:
        raise UnavailableError(
            "The payment gateway does not answer. Please try again.", code="gateway_unavailable"
        ) from error
    except GatewayRejectedError as error:
        raise ConflictError(str(error), code="rejected_by_gateway") from error
    _conclude(row.pk, now=now)
    return disputes.follow(dispute.payment_id, fact, now=now)


@transaction.atomic(durable=True)
def _begin(
    dispute_id: UUID, evidence: Evidence, answer_id: UUID, *, by: str, now: datetime
) -> tuple[Dispute, DisputeEvidence]:
    dispute = locks.dispute(dispute_id)
    begun = DisputeEvidence.objects.filter(pk=answer_id, dispute=dispute).first()
    if begun is not None and begun.submitted_at is not None:
        return dispute, begun
    if dispute.source != DisputeSource.GATEWAY:
        raise ConflictError("Customers contest with us: decide it.", code="not_at_a_gateway")
    if dispute.status != DisputeStatus.OPEN:
        raise ConflictError(f"The dispute is {dispute.status.lower()}.", code="dispute_decided")
    if _submitted(dispute):
        raise ConflictError("It was answered before.", code="already_answered")
    row = begun or DisputeEvidence.objects.create(
        pk=answer_id,
        dispute=dispute,
        text=evidence.text,
        documents=[
            {
                "name": document.name,
                "size": len(document.content),
                "sha256": sha256(document.content).hexdigest(),
            }
            for document in evidence.documents
        ],
        created_by=by,
        created_at=dispute.customer.lives_at(now),
    )
    return dispute, row


@transaction.atomic(durable=True)
def _conclude(evidence_id: UUID, *, now: datetime) -> None:
    row = DisputeEvidence.objects.select_related("dispute__customer__test_clock").get(
        pk=evidence_id
    )
    dispute = locks.dispute(row.dispute_id)
    if _submitted(dispute):
        return
    row.submitted_at = dispute.customer.lives_at(now)
    row.save(update_fields=["submitted_at"])
    journal.post(
        journal.Fact(
            kind="EVIDENCE_SUBMITTED",
            key=f"dispute:{dispute.pk}:evidence",
            customer_id=dispute.customer_id,
            occurred_at=row.submitted_at,
            context={
                "gateway": dispute.payment.gateway,
                "external_id": dispute.external_id,
                "documents": [document["sha256"] for document in row.documents],
                "by": row.created_by,
            },
            source_kind="dispute",
            source_id=dispute.pk,
        )
    )


def _submitted(dispute: Dispute) -> bool:
    return DisputeEvidence.objects.filter(dispute=dispute, submitted_at__isnull=False).exists()


def _require_sense(evidence: Evidence) -> None:
    if not evidence.text.strip() and not evidence.documents:
        raise InvalidError("There is nothing in it.", code="no_evidence")
    if len(evidence.text) > LARGEST_TEXT:
        raise InvalidError(f"At most {LARGEST_TEXT} characters are taken.", code="text_too_long")
    for document in evidence.documents:
        if document.content_type not in TYPES:
            raise InvalidError("Files are PDF, JPEG or PNG.", code="unknown_file_type")
        if not 0 < len(document.content) <= LARGEST_FILE:
            raise InvalidError("A file has at most 5 MB, and something in it.", code="bad_file")
