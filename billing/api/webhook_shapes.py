"""The shapes of `/webhook-endpoints` and `/deliveries`, and of what is sent."""

from __future__ import annotations

import json
from typing import Any, Final

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from billing.api.cursors import CursorQuery
from billing.api.fields import Answer, Flag, Instant, Json, Strict, Text, Word
from billing.core.delivering import DeliveryStatus, FailureKind
from billing.core.event_types import TYPES
from billing.models import Delivery, DeliveryTry, WebhookEndpoint
from billing.models.outgoing import LONGEST_URL
from billing.services import delivering, webhook_endpoints

_TYPES: Final = "Names or patterns like `invoice.*`; none is all."


def _types() -> serializers.ListField:
    return serializers.ListField(
        child=Text(max_length=64), max_length=len(TYPES), required=False, help_text=_TYPES
    )


class EndpointChange(Strict):
    """What shall be set; what is not named stays."""

    url = Text(max_length=LONGEST_URL, required=False)
    types = _types()
    description = Text(max_length=255, required=False, allow_blank=True)
    enabled = Flag(required=False)


class EndpointInput(Strict):
    """Who shall be told of what."""

    url = Text(
        max_length=LONGEST_URL,
        help_text="By https, at port 443 or 8443 of a public address, without user and password.",
    )
    types = _types()
    description = Text(max_length=255, required=False, allow_blank=True)


@extend_schema_serializer(component_name="WebhookSecretRotation")
class SecretInput(Strict):
    """For how long the secret before signs, too."""

    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=webhook_endpoints.MAX_OVERLAP_HOURS,
        default=webhook_endpoints.OVERLAP_HOURS,
        required=False,
    )


@extend_schema_serializer(component_name="WebhookEndpoint")
class EndpointOutput(Answer):
    """A receiver of notifications.

    `disabled_reason` says why we disabled it; `failing_since` is the first failure after the last
    success. Until `former_secret_until` two secrets sign.
    """

    id = serializers.UUIDField()
    url = serializers.CharField()
    types = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    enabled = serializers.BooleanField(source="is_enabled")
    disabled_at = Instant(allow_null=True)
    disabled_reason = serializers.CharField()
    failing_since = Instant(source="failing_since_at", allow_null=True)
    former_secret_until = Instant(allow_null=True)
    version = serializers.IntegerField()
    created_by = serializers.CharField()
    created_at = Instant()
    updated_by = serializers.CharField()
    updated_at = Instant(allow_null=True)


@extend_schema_serializer(component_name="WebhookEndpointWithSecret")
class EndpointWithSecretOutput(EndpointOutput):
    """The same with its secret, which is shown this once; null in a repeated answer."""

    secret = serializers.CharField(allow_null=True)


class DeliveryQuery(CursorQuery):
    """Which deliveries, by when they were written."""

    status = Word(DeliveryStatus, required=False)
    type = Text(max_length=64, required=False, help_text="A name or a pattern like `invoice.*`.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": Instant(required=False),
            "to": Instant(required=False, help_text="Not included."),
        }


class ResendInput(Strict):
    """Which deliveries are sent once more, by when they were written."""

    types = _types()
    status = Word(
        DeliveryStatus, required=False, help_text="`failed`, if it is not said otherwise."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {"from": Instant(), "to": Instant(help_text="Not included."), **super().get_fields()}


@extend_schema_serializer(component_name="Resent")
class ResentOutput(Answer):
    """How many are sent again, and how many of the range are left for another call."""

    resent = serializers.IntegerField()
    left = serializers.IntegerField()


@extend_schema_serializer(component_name="DeliveryRequest")
class RequestOutput(Answer):
    """What was sent, but for the signature."""

    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body = Json()


@extend_schema_serializer(component_name="DeliveryResponse")
class ResponseOutput(Answer):
    """What was answered; `body` is how it begins, up to 1 kB."""

    status = serializers.IntegerField()
    body = serializers.CharField()


@extend_schema_serializer(component_name="DeliveryTry")
class TryOutput(Answer):
    """One request and what came of it; `failure` is null where it was taken."""

    sent_at = Instant()
    duration_ms = serializers.IntegerField(source="took_ms")
    failure = Word(FailureKind, allow_null=True)
    request = RequestOutput()
    response = ResponseOutput(allow_null=True)

    def to_representation(self, one: DeliveryTry) -> dict[str, Any]:
        """With what was sent, which is the same each time but for its instant."""
        delivery = one.delivery
        status = one.status_code
        shown = {
            "sent_at": one.sent_at,
            "took_ms": one.took_ms,
            "failure": one.failure or None,
            "request": {
                "url": delivery.endpoint.url,
                "headers": delivering.request_headers(delivery.event_id, one.sent_at),
                "body": json.loads(delivery.event.body),
            },
            "response": None if status is None else {"status": status, "body": one.answer},
        }
        return super().to_representation(shown)


@extend_schema_serializer(component_name="Delivery")
class DeliveryOutput(Answer):
    """An event on its way to an endpoint; `event` is its `webhook-id`.

    `next_try_at` is null for at once, and where nothing is to be sent any more.
    """

    id = serializers.UUIDField()
    endpoint = serializers.UUIDField(source="endpoint_id")
    event = serializers.UUIDField(source="event_id")
    type = serializers.CharField(source="event.type")
    customer = serializers.UUIDField(source="event.customer_id", allow_null=True)
    status = Word(DeliveryStatus)
    next_try_at = Instant(source="due_at", allow_null=True)
    created_at = Instant()
    settled_at = Instant(allow_null=True)
    tries = TryOutput(source="requests.all", many=True)


def shown(endpoint: WebhookEndpoint, **more: Any) -> dict[str, Any]:
    """An endpoint as it is answered."""
    if more:
        return {**EndpointOutput.of(endpoint), **more}
    return EndpointOutput.of(endpoint)


def told(rows: list[Delivery]) -> list[dict[str, Any]]:
    """Deliveries as they are answered."""
    for row in rows:
        for one in row.requests.all():
            one.delivery = row
    return DeliveryOutput.all_of(rows)
