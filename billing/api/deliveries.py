"""`/deliveries`: what was sent to whom, what came of it, and sending it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import tasks
from billing.api.cursors import cursor_listing, cursor_page
from billing.api.endpoint import Endpoint
from billing.api.openapi import problems
from billing.api.permissions import found
from billing.api.webhook_shapes import (
    DeliveryOutput,
    DeliveryQuery,
    ResendInput,
    ResentOutput,
    told,
)
from billing.core.delivering import DeliveryStatus
from billing.models import Delivery, WebhookEndpoint
from billing.models.outgoing import DeliveryQuerySet
from billing.services import deliveries
from billing.services.deliveries import Range
from billing.services.webhook_endpoints import require_types


class EndpointDeliveries(Endpoint):
    """What was sent to one endpoint, and what is on its way."""

    operator_only = frozenset({"GET"})
    filters = DeliveryQuery

    @extend_schema(
        operation_id="listWebhookEndpointDeliveries",
        summary="List what was sent to a webhook endpoint",
        description="Operators only. Newest first, each with all its tries.",
        parameters=[DeliveryQuery],
        responses={
            200: cursor_listing("deliveries", DeliveryOutput, "Delivery"),
            **problems(400, 403, 404),
        },
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """List it."""
        query = self.filtered()
        endpoint = found(WebhookEndpoint.objects.all(), endpoint_id, noun="webhook endpoint")
        rows = _readable().filter(endpoint=endpoint)
        if "status" in query:
            rows = rows.filter(status=query["status"])
        if "type" in query:
            require_types([query["type"]])
            rows = rows.filter(deliveries.of_types([query["type"]]))
        if "from" in query:
            rows = rows.filter(created_at__gte=query["from"])
        if "to" in query:
            rows = rows.filter(created_at__lt=query["to"])
        return cursor_page(request, "deliveries", rows, query, show=told)


class ResendRange(Endpoint):
    """Sending many again."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="resendWebhookEndpointDeliveries",
        summary="Resend a range of deliveries",
        description=(
            f"Operators only. The oldest first, up to {deliveries.MOST_RESENT:,} at a time; `left` "
            "says how many of the range are left for another call."
        ),
        request=ResendInput,
        responses={200: ResentOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "What failed on a day",
                {"from": "2026-04-11T00:00:00Z", "to": "2026-04-12T00:00:00Z"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send them again."""
        entered = self.read(ResendInput)
        wanted = Range(
            entered["from"],
            entered["to"],
            entered.get("types", ()),
            entered.get("status", DeliveryStatus.FAILED),
        )
        resent = deliveries.resend_range(endpoint_id, wanted)
        tasks.deliver_soon()
        return Response(ResentOutput.of(resent))


class OneDelivery(Endpoint):
    """One event on its way to one endpoint."""

    operator_only = frozenset({"GET"})

    @extend_schema(
        operation_id="getDelivery",
        summary="Read a delivery",
        description="Operators only. With all its tries, oldest first.",
        responses={200: DeliveryOutput, **problems(403, 404)},
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        """Read it."""
        return Response(_one(delivery_id))


class Resend(Endpoint):
    """Sending one again."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="resendDelivery",
        summary="Resend a delivery",
        description=(
            "Operators only. Now and with all its retries, whatever became of it; the same body "
            "under the same `webhook-id`."
        ),
        request=None,
        responses={202: DeliveryOutput, **problems(403, 404, 409, 422)},
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Send it again."""
        deliveries.resend(delivery_id)
        tasks.deliver_soon()
        return Response(_one(delivery_id), status=202)


def _readable() -> DeliveryQuerySet:
    return Delivery.objects.select_related("event", "endpoint").prefetch_related("requests")


def _one(delivery_id: UUID) -> dict[str, Any]:
    return told([found(_readable(), delivery_id, noun="delivery")])[0]
