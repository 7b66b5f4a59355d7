"""`/webhook-endpoints`: who is told of what happens here."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.endpoint import Endpoint
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import found
from billing.api.preconditions import expected_version
from billing.api.tokens import caller
from billing.api.webhook_shapes import (
    DeliveryOutput,
    EndpointChange,
    EndpointInput,
    EndpointOutput,
    EndpointWithSecretOutput,
    SecretInput,
    shown,
    told,
)
from billing.models import WebhookEndpoint
from billing.services import webhook_endpoints

_NOUN: Final = "webhook endpoint"
_SECRET: Final = frozenset({"secret"})


class WebhookEndpoints(Endpoint):
    """All endpoints."""

    operator_only = frozenset({"GET", "POST"})
    filters = PageQuery
    shown_once = _SECRET

    @extend_schema(
        operation_id="listWebhookEndpoints",
        summary="List the webhook endpoints",
        description="Operators only. Oldest first; none with its secret.",
        parameters=[PageQuery],
        responses={
            200: listing("webhook_endpoints", EndpointOutput, "WebhookEndpoint"),
            **problems(400, 403),
        },
    )
    def get(self, request: Request) -> Response:
        """List them."""
        rows = WebhookEndpoint.objects.order_by("pk")
        return page("webhook_endpoints", rows, self.filtered(), show=EndpointOutput.all_of)

    @extend_schema(
        operation_id="createWebhookEndpoint",
        summary="Make a webhook endpoint",
        description=(
            "Operators only. From now on it is told of what happens, signed by the Standard "
            "Webhooks scheme. Its `secret` is shown this once."
        ),
        request=EndpointInput,
        responses={201: EndpointWithSecretOutput, **problems(400, 403, 409, 422)},
        examples=[
            OpenApiExample(
                "Invoices and refunds",
                {"url": "https://example.com/webhooks", "types": ["invoice.*", "refund.succeeded"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        entered = self.read(EndpointInput)
        endpoint, secret = webhook_endpoints.create(
            entered["url"],
            types=entered.get("types", ()),
            description=entered.get("description", ""),
            by=caller(request).name,
            now=clock.now(),
        )
        return Response(shown(endpoint, secret=secret), status=201)


class OneWebhookEndpoint(Endpoint):
    """One endpoint."""

    operator_only = frozenset({"GET", "PATCH", "DELETE"})

    @extend_schema(
        operation_id="getWebhookEndpoint",
        summary="Read a webhook endpoint",
        description="Operators only. Never with its secret.",
        responses={200: EndpointOutput, **problems(403, 404)},
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Read it."""
        return Response(shown(found(WebhookEndpoint.objects.all(), endpoint_id, noun=_NOUN)))

    @extend_schema(
        operation_id="updateWebhookEndpoint",
        summary="Change a webhook endpoint",
        description=(
            "Operators only. What is not named stays. One that is enabled again is sent what "
            "waits; what happened while it was disabled is not sent to it."
        ),
        request=EndpointChange,
        parameters=IF_MATCH,
        responses={200: EndpointOutput, **problems(400, 403, 404, 409, 412)},
        examples=[OpenApiExample("Enable it again", {"enabled": True}, request_only=True)],
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change it."""
        entered: dict[str, Any] = self.read(EndpointChange)
        if "enabled" in entered:
            entered["is_enabled"] = entered.pop("enabled")
        endpoint = webhook_endpoints.update(
            endpoint_id,
            entered,
            by=caller(request).name,
            now=clock.now(),
            expected_version=expected_version(request),
        )
        return Response(shown(endpoint))

    @extend_schema(
        operation_id="deleteWebhookEndpoint",
        summary="Delete a webhook endpoint",
        description="Operators only. With all that was sent to it, and all that waits.",
        parameters=IF_MATCH,
        responses={204: None, **problems(403, 404, 412)},
    )
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Delete it."""
        webhook_endpoints.delete(endpoint_id, expected_version=expected_version(request))
        return Response(status=204)


class WebhookEndpointSecret(Endpoint):
    """What an endpoint's notifications are signed with."""

    operator_only = frozenset({"POST"})
    shown_once = _SECRET

    @extend_schema(
        operation_id="rotateWebhookEndpointSecret",
        summary="Rotate a webhook endpoint's secret",
        description=(
            "Operators only. The new `secret` is shown this once. Until the overlap is over, "
            "notifications carry a signature by each of the two; one from before those is void."
        ),
        request=SecretInput,
        responses={200: EndpointWithSecretOutput, **problems(400, 403, 404, 409, 422)},
        examples=[OpenApiExample("Two days", {"overlap_hours": 48}, request_only=True)],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Rotate it."""
        endpoint, secret = webhook_endpoints.rotate_secret(
            endpoint_id,
            overlap_hours=self.read(SecretInput)["overlap_hours"],
            by=caller(request).name,
            now=clock.now(),
        )
        return Response(shown(endpoint, secret=secret))


class WebhookEndpointTest(Endpoint):
    """Trying an endpoint out."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="testWebhookEndpoint",
        summary="Send a test notification",
        description=(
            "Operators only. An `endpoint.test`, whatever types it listens to. What came of it "
            "stands in `GET /deliveries/{id}` a moment later."
        ),
        request=None,
        responses={202: DeliveryOutput, **problems(403, 404, 409, 422)},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send one."""
        delivery = webhook_endpoints.send_test(endpoint_id, now=clock.now())
        tasks.deliver_soon()
        return Response(told([delivery])[0], status=202)
