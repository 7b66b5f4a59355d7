"""What the OpenAPI document says beyond what the code shows by itself."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_serializer
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from billing.api.document import component_of
from billing.api.errors import MEDIA_TYPE, TITLES
from billing.api.fields import Instant
from billing.api.groups import group_of

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
    due_at = Instant(help_text="When the change is due.")
    change = serializers.UUIDField(allow_null=True)


@extend_schema_serializer(component_name="ConflictProblem")
class ConflictProblemOutput(ProblemOutput):
    """An error about changes that contradict each other, with all of them."""

    conflicts = ConflictOutput(many=True, required=False)


class EndpointSchema(AutoSchema):
    """What holds for every endpoint: its group, its headers, the failures that any may answer."""

    def get_override_parameters(self) -> list[Any]:
        """Headers that the views do not name themselves."""
        return [_IDEMPOTENCY_KEY] if self.method == "POST" else []

    def get_tags(self) -> list[str]:
        """The group that its address belongs to."""
        return [group_of(self.path, spectacular_settings.SCHEMA_PATH_PREFIX)]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """With the failures that need not be named by each; all of them are components."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            answers: dict[str, Any] = operation["responses"]
            usual = {str(status) for status in self._failures(operation)}
            operation["responses"] = {
                status: _shared(status, answers.get(status, {}))
                for status in sorted(usual | answers.keys())
            }
        return operation

    def _failures(self, operation: dict[str, Any]) -> set[int]:
        """What this operation may answer whatever it does."""
        view: Any = self.view
        found = {400, 401, 429, 500, 503}
        is_writing = self.method not in SAFE_METHODS and not view.is_only_reading
        if is_writing or self.method in view.operator_only:
            found.add(403)
        if "{" in self.path:
            found.add(404)
        if is_writing:
            found.add(409)
        if self.method == "POST" or "requestBody" in operation:
            found |= {413, 415}
        if self.method == "POST":
            found |= {409, 422}
        return found


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document describes `BearerAuthentication`."""

    target_class = "billing.api.tokens.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "description": "A token of Bursar's."}


def _shared(status: str, response: dict[str, Any]) -> dict[str, Any]:
    """An answer, or where it is the usual one of a failure, a reference to it."""
    title = TITLES.get(int(status))
    if title is None or response.get("description", title) != title:
        return response
    return {"$ref": f"#/components/responses/{component_of(int(status))}"}


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The errors an operation may answer, beside those that any may (`EndpointSchema`)."""
    return {
        (status, MEDIA_TYPE): OpenApiResponse(
            ConflictProblemOutput if status == 409 else ProblemOutput, description=TITLES[status]
        )
        for status in sorted({401, 429, 503, *statuses})
    }
