"""`/disputes`: what is contested, and who won."""

from __future__ import annotations

import binascii
from base64 import b64decode
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api import idempotency
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Strict, Text, Word
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own, require_operator
from billing.api.return_shapes import DisputeOutput, disputes
from billing.api.tokens import caller
from billing.core.lifecycle import DisputeStatus
from billing.gateways.abilities import Document, Evidence
from billing.models import Dispute
from billing.services import disputes as service
from billing.services import evidence

# Of base64, four characters hold three bytes.
_LONGEST: Final = (evidence.LARGEST_FILE + 2) // 3 * 4


class DisputeQuery(PageQuery):
    """Which disputes."""

    customer = serializers.UUIDField(required=False)
    status = Word(DisputeStatus, required=False)


class DisputeChange(Strict):
    """Who won: `lost` gives in to the customer."""

    status = serializers.ChoiceField(["won", "lost"])


@extend_schema_field({"type": "string", "contentEncoding": "base64", "maxLength": _LONGEST})
class File(serializers.Field[bytes, Any, str, Any]):
    """What a file holds, in base64."""

    default_error_messages = {
        "invalid": "Base64 (RFC 4648), with its padding.",
        "max_length": "A file has at most 5 MB.",
    }

    def to_internal_value(self, data: Any) -> bytes:
        """Its bytes."""
        if not isinstance(data, str) or not data.isascii():
            self.fail("invalid")
        if len(data) > _LONGEST:
            self.fail("max_length")
        try:
            return b64decode(data, validate=True)
        except binascii.Error:
            self.fail("invalid")


class DocumentInput(Strict):
    """A file that proves something. It is handed on to the gateway and not kept."""

    name = Text(max_length=255)
    content_type = serializers.ChoiceField(sorted(evidence.TYPES))
    content = File()


class EvidenceInput(Strict):
    """What the dispute is answered with: it goes to the gateway as it is, personal data and all."""

    text = Text(max_length=evidence.LARGEST_TEXT, allow_blank=True, default="", required=False)
    documents: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=DocumentInput(), max_length=20, default=list, required=False
    )


class Disputes(Endpoint):
    """All disputes."""

    filters = DisputeQuery

    @extend_schema(
        operation_id="listDisputes",
        summary="List disputes",
        description="Newest first; of one customer, or in one status, where asked.",
        parameters=[DisputeQuery],
        responses={200: listing("disputes", DisputeOutput, "Dispute"), **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, disputes()).order_by("-opened_at", "-pk")
        if "customer" in query:
            rows = rows.filter(customer=customer_named(request, query["customer"]))
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return page("disputes", rows, query, show=DisputeOutput.all_of)


class OneDispute(Endpoint):
    """One dispute."""

    is_tagged_by_version = False

    @extend_schema(
        operation_id="getDispute",
        summary="Read a dispute",
        responses={200: DisputeOutput, **problems(404)},
    )
    def get(self, request: Request, dispute_id: UUID) -> Response:
        """Read it."""
        return Response(DisputeOutput.of(find(request, disputes(), dispute_id, noun="dispute")))

    @extend_schema(
        operation_id="decideDispute",
        summary="Decide what a customer contests",
        description=(
            "Operators only. `won`: the invoice is paid as before. `lost`: we give in, the money "
            "goes back and the invoice is charged back. All payments of the invoice are decided "
            "together. What a bank contests is decided by the gateway's word only: 409."
        ),
        request=DisputeChange,
        parameters=IF_MATCH,
        responses={200: DisputeOutput, **problems(400, 403, 404, 409, 412)},
        examples=[OpenApiExample("Give in", {"status": "lost"}, request_only=True)],
    )
    def patch(self, request: Request, dispute_id: UUID) -> Response:
        """Decide it."""
        find(request, Dispute.objects.all(), dispute_id, noun="dispute")
        require_operator(request)
        status = DisputeStatus(self.read(DisputeChange)["status"].upper())
        _, refunds = service.decide(dispute_id, status, by=caller(request).name, now=clock.now())
        transaction.on_commit(partial(tasks.refund_soon, [refund.pk for refund in refunds]))
        return Response(_shown(dispute_id))


class DisputeEvidences(Endpoint):
    """Answering what a bank contests. A repetition hands on what was begun, once."""

    is_atomic = False
    is_tagged_by_version = False
    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="answerDispute",
        summary="Answer a dispute with evidence",
        description=(
            "Operators only, of a dispute that a bank raised at the gateway, and once and for all. "
            "Files are handed on and not kept; of each, name, size and SHA-256 digest are. A body "
            "has up to 8 MB, a file up to 5. 400 `no_evidence`, `bad_file`; 409 "
            "`not_at_a_gateway`, `dispute_decided`, `already_answered`, or `rejected_by_gateway` "
            "where the gateway takes none; 503 `gateway_unavailable` where it does not answer: "
            "whether it heard is not known, and the same may be sent again."
        ),
        request=EvidenceInput,
        responses={200: DisputeOutput, **problems(400, 403, 404, 409, 413, 422)},
        examples=[
            OpenApiExample(
                "What they bought",
                {
                    "text": "They ordered it on 1 April and have used it since.",
                    "documents": [
                        {
                            "name": "order.pdf",
                            "content_type": "application/pdf",
                            "content": "JVBERi0xLjQ=",
                        }
                    ],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, dispute_id: UUID) -> Response:
        """Hand it on."""
        find(request, Dispute.objects.all(), dispute_id, noun="dispute")
        fields = self.read(EvidenceInput)
        given = Evidence(
            fields["text"], tuple(Document(**document) for document in fields["documents"])
        )
        evidence.submit(
            dispute_id,
            given,
            by=caller(request).name,
            now=clock.now(),
            evidence_id=idempotency.effect_id(request),
        )
        return Response(_shown(dispute_id))


def _shown(dispute_id: UUID) -> dict[str, Any]:
    return DisputeOutput.of(disputes().get(pk=dispute_id))
