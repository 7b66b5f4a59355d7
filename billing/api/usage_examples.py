"""Usage in every format, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer

from billing.api.usage_formats import CLOUD_EVENT, CLOUD_EVENTS, CSV, NDJSON
from billing.api.usage_shapes import CloudEventInput, UsageBatchInput, UsageEventInput

_EVENT: Final = {
    "id": "7d1c9f0e",
    "customer": "org_alice",
    "meter": "api_calls",
    "quantity": "300",
    "occurred_at": "2026-04-20T10:00:00Z",
}
_IN_EUROPE: Final = {**_EVENT, "properties": {"region": "eu"}}
_CLOUD_EVENT: Final = {
    "specversion": "1.0",
    "id": "7d1c9f0e",
    "source": "gateway-1",
    "subject": "org_alice",
    "type": "api_calls",
    "time": "2026-04-20T10:00:00Z",
    "data": {"quantity": "300", "region": "eu"},
}
_LINES: Final = (
    '{"id": "7d1c9f0e", "customer": "org_alice", "meter": "api_calls", "quantity": "300"}\n'
    '{"id": "7d1c9f0f", "customer": "org_alice", "meter": "api_calls", "quantity": "2"}\n'
)
_ROWS: Final = (
    "id,customer,meter,quantity,occurred_at,region\n"
    "7d1c9f0e,org_alice,api_calls,300,2026-04-20T10:00:00Z,eu\n"
)

REQUESTS: Final[dict[str, Any]] = {
    "application/json": PolymorphicProxySerializer(
        component_name="UsageEvents",
        serializers=[UsageEventInput, UsageBatchInput],
        resource_type_field_name=None,
    ),
    **dict.fromkeys(NDJSON, OpenApiTypes.STR),
    CLOUD_EVENT: CloudEventInput,
    CLOUD_EVENTS: CloudEventInput(many=True),
    CSV: OpenApiTypes.STR,
}


def _example(name: str, value: Any, media_type: str = "application/json") -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True, media_type=media_type)


EXAMPLES: Final = [
    _example("One event", _EVENT),
    _example("A batch", {"events": [_IN_EUROPE]}),
    *(_example("JSON Lines", _LINES, media_type) for media_type in NDJSON),
    _example("A CloudEvent", _CLOUD_EVENT, CLOUD_EVENT),
    _example("CloudEvents", _CLOUD_EVENT, CLOUD_EVENTS),
    _example("CSV", _ROWS, CSV),
]
