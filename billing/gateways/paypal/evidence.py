"""Answering a dispute. The one place where people's words and papers go to PayPal.

Source of what is taken: the published definition of Customer Disputes v1, and
https://developer.paypal.com/platforms/disputes/reference/supported-file-types-sizes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import quote

from billing.gateways.abilities import Document, Evidence
from billing.gateways.base import Dispute, GatewayRejectedError
from billing.gateways.paypal import client as clients
from billing.gateways.paypal import translate
from billing.gateways.paypal.client import Client, EarlierError, Fields, Parts

DISPUTES: Final = "/v1/customer/disputes"
# What PayPal takes, and how the name ends that it goes by there: the operator's own stays here.
_ENDINGS: Final[Mapping[str, str]] = {
    "application/pdf": "pdf",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
}
_LONGEST: Final = 2000
_LARGEST: Final = 10_000_000
_LARGEST_OF_ALL: Final = 50_000_000


def submit(client: Client, dispute_id: str, evidence: Evidence) -> Dispute:
    """Send text and documents. Once that is done, it stays so.

    :raises GatewayRejectedError: also if there is nothing in it, too much, or a document of a sort
        that PayPal does not take; and if PayPal does not wait for an answer.
    """
    parts = _parts(evidence)
    found = client.find(DISPUTES, dispute_id)
    if found is not None and translate.takes_evidence(found):
        found = _answered(client, dispute_id, parts)
    elif found is None or not translate.is_answered(found):
        raise GatewayRejectedError("PayPal takes no evidence on this dispute.")
    return _told(found)


def _answered(client: Client, dispute_id: str, parts: Parts) -> Fields | None:
    digest = hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()[:16]
    path = f"{DISPUTES}/{quote(dispute_id, safe='')}/provide-evidence"
    with suppress(EarlierError):  # what came of that is read below
        client.upload(path, parts, f"evidence:{dispute_id}:{digest}")
    with clients.doubtful():
        return client.find(DISPUTES, dispute_id)


def _parts(evidence: Evidence) -> Parts:
    """The files, and what PayPal is told of them: that they are of no particular sort."""
    _require_sense(evidence)
    files = {
        f"file{number}": (_name(number, one), one.content, one.content_type)
        for number, one in enumerate(evidence.documents, start=1)
    }
    said: dict[str, object] = {"evidence_type": "OTHER"}
    if evidence.text:
        said["notes"] = evidence.text
    if files:
        said["documents"] = [{"name": name} for name, _, _ in files.values()]
    body = json.dumps({"evidences": [said]}).encode()
    return {"input": (None, body, "application/json"), **files}


def _require_sense(evidence: Evidence) -> None:
    sizes = [len(one.content) for one in evidence.documents]
    if not evidence.text and not sizes:
        raise GatewayRejectedError("There is no evidence in it.")
    if len(evidence.text) > _LONGEST:
        raise GatewayRejectedError(f"PayPal takes no more than {_LONGEST} characters of text.")
    if max(sizes, default=0) >= _LARGEST or sum(sizes) > _LARGEST_OF_ALL:
        raise GatewayRejectedError("PayPal takes documents of less than 10 MB, 50 MB together.")


def _name(number: int, document: Document) -> str:
    ending = _ENDINGS.get(document.content_type)
    if ending is None:
        raise GatewayRejectedError(
            f"PayPal takes PDF, JPEG, PNG and GIF as evidence, and no {document.content_type}."
        )
    return f"evidence-{number}.{ending}"


def _told(fields: Fields | None) -> Dispute:
    dispute = translate.dispute(fields) if fields else None
    if dispute is None:
        raise GatewayRejectedError("PayPal has no such dispute of a payment.")
    return dispute
