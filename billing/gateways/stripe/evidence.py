"""Answering a dispute. The one place where people's words and papers go to Stripe."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import stripe

from billing.gateways.abilities import Document, Evidence
from billing.gateways.base import Dispute, GatewayRejectedError
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import translate
from billing.gateways.stripe.translate import Fields

# What Stripe takes, and the name it goes by there: the operator's own name stays here.
_NAMES: Final[Mapping[str, str]] = {
    "application/pdf": "evidence.pdf",
    "image/jpeg": "evidence.jpg",
    "image/png": "evidence.png",
}


def submit(client: stripe.StripeClient, dispute_id: str, evidence: Evidence) -> Dispute:
    """Send text and document, and hand them on to the bank. Once that is done, it stays so.

    :raises GatewayRejectedError: also if there are several documents, for Stripe has room for one
        that is of no particular sort; if it is of a sort that Stripe does not take; and if it is
        too late.
    """
    document = _only(evidence.documents)
    with clients.answers():
        found = client.v1.disputes.retrieve(dispute_id).to_dict()
        if translate.evidence_due_at(found) is not None:
            found = _answered(client, dispute_id, evidence.text, document)
        elif not (found.get("evidence_details") or {}).get("submission_count"):
            raise GatewayRejectedError("Stripe takes no evidence on this dispute any more.")
    return _told(found)


def _answered(
    client: stripe.StripeClient, dispute_id: str, text: str, document: Document | None
) -> dict[str, Any]:
    evidence: stripe.params.DisputeUpdateParamsEvidence = {}
    if text:
        evidence["uncategorized_text"] = text
    if document is not None:
        evidence["uncategorized_file"] = _uploaded(client, dispute_id, document)
    key = f"evidence:{dispute_id}:{_digest(repr(sorted(evidence.items())).encode())}"
    params: stripe.params.DisputeUpdateParams = {"evidence": evidence, "submit": True}
    return client.v1.disputes.update(dispute_id, params, clients.once(key)).to_dict()


def _uploaded(client: stripe.StripeClient, dispute_id: str, document: Document) -> str:
    file = BytesIO(document.content)
    file.name = _NAMES[document.content_type]
    key = f"evidence-file:{dispute_id}:{_digest(document.content)}"
    uploaded = client.v1.files.create(
        {"purpose": "dispute_evidence", "file": file}, clients.once(key)
    )
    return uploaded.id


def _only(documents: tuple[Document, ...]) -> Document | None:
    if len(documents) > 1:
        raise GatewayRejectedError("Stripe takes one document: put them together into one file.")
    for document in documents:
        if document.content_type not in _NAMES:
            raise GatewayRejectedError(
                f"Stripe takes PDF, JPEG and PNG as evidence, and no {document.content_type}."
            )
        return document
    return None


def _told(fields: Fields) -> Dispute:
    dispute = translate.dispute(fields)
    if dispute is None:
        raise GatewayRejectedError("It is an inquiry, and no dispute.")
    return dispute


def _digest(content: bytes) -> str:
    """Another answer is another request, also after one that Stripe refused."""
    return hashlib.sha256(content).hexdigest()[:16]
