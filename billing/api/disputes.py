"""`/disputes`: what is contested, and who won."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Strict, Word
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own, require_operator
from billing.api.return_shapes import DisputeOutput, disputes
from billing.api.tokens import caller
from billing.core.lifecycle import DisputeStatus
from billing.models import Dispute
from billing.services import disputes as service


class DisputeQuery(PageQuery):
    """Which disputes."""

    customer = serializers.UUIDField(required=False)
    status = Word(DisputeStatus, required=False)


class DisputeChange(Strict):
    """Who won: `lost` gives in to the customer."""

    status = serializers.ChoiceField(["won", "lost"])


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
        responses={200: DisputeOutput, **problems(400, 403, 404, 409)},
        examples=[OpenApiExample("Give in", {"status": "lost"}, request_only=True)],
    )
    def patch(self, request: Request, dispute_id: UUID) -> Response:
        """Decide it."""
        find(request, Dispute.objects.all(), dispute_id, noun="dispute")
        require_operator(request)
        status = DisputeStatus(self.read(DisputeChange)["status"].upper())
        dispute, refunds = service.decide(
            dispute_id, status, by=caller(request).name, now=clock.now()
        )
        transaction.on_commit(partial(tasks.refund_soon, [refund.pk for refund in refunds]))
        return Response(DisputeOutput.of(dispute))
