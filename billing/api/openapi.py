"""What the OpenAPI document says beyond what the code shows by itself."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_serializer
from rest_framework import serializers

from billing.api import rate_limits
from billing.api.errors import MEDIA_TYPE, TITLES

_IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=(
        "Makes a repetition safe for 24 hours: the same key and body get the stored answer, with "
        "`Idempotent-Replayed: true`."
    ),
)
_IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` last seen. 412 if the object has changed since.",
)
IF_MATCH: Final = [_IF_MATCH]
IF_NONE_MATCH: Final = [
    OpenApiParameter(
        "If-None-Match",
        str,
        OpenApiParameter.HEADER,
        description="The `ETag` last seen. 304 without a body if nothing has changed since.",
    )
]
_RATE_LIMITS: Final = [
    OpenApiParameter(name, int, OpenApiParameter.HEADER, response=True, description=description)
    for name, description in (
        (rate_limits.LIMIT, "How many calls of this class pass in a window."),
        (rate_limits.REMAINING, "How many of them are left."),
        (rate_limits.RESET, "When the window ends, in Unix seconds."),
    )
]


@extend_schema_serializer(component_name="Problem")
class ProblemOutput(serializers.Serializer[Any]):
    """An error, as RFC 9457 has it. `code` is stable: branch on it."""

    type = serializers.CharField(help_text="Where this kind of problem is explained.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]  # the contract names it so
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Field → what is wrong with it, in a path like `usage.0.unit_amount`.",
    )


class ConflictOutput(serializers.Serializer[Any]):
    """Why a change cannot be; `change` is null for the one that was asked for."""

    code = serializers.CharField()
    detail = serializers.CharField()
    due_at = serializers.CharField()
    change = serializers.UUIDField(allow_null=True)


@extend_schema_serializer(component_name="ConflictProblem")
class ConflictProblemOutput(ProblemOutput):
    """An error about changes that contradict each other, with all of them."""

    conflicts = ConflictOutput(many=True, required=False)


class EndpointSchema(AutoSchema):
    """Every POST may carry an idempotency key, and every answer tells of the limits."""

    def get_override_parameters(self) -> list[Any]:
        """Headers that the views do not name themselves."""
        return [*([_IDEMPOTENCY_KEY] if self.method == "POST" else []), *_RATE_LIMITS]


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document describes `BearerAuthentication`."""

    target_class = "billing.api.tokens.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "description": "A token of Bursar's."}


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The errors an operation may answer; 401, 429 and 503 always belong to them."""
    return {
        (status, MEDIA_TYPE): OpenApiResponse(
            ConflictProblemOutput if status == 409 else ProblemOutput, description=TITLES[status]
        )
        for status in sorted({401, 429, 503, *statuses})
    }
