"""`/usage-rejections`: usage that was reported and not counted."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.cursors import CursorQuery, cursor_listing, cursor_page
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Flag, Instant, Strict, Text
from billing.api.openapi import problems
from billing.api.permissions import found
from billing.api.tokens import caller
from billing.api.usage import draw_soon
from billing.api.usage_reading import LONGEST
from billing.models import RejectedUsage
from billing.services import rejections

STATUSES: Final = ("open", "counted", "dismissed")
_ANY_AGE_HELP: Final = "Count what was older than 60 days when it was reported, too."


class Narrowed(Strict):
    """Which rejected events."""

    code = Text(max_length=32, required=False)
    customer = Text(
        max_length=LONGEST, required=False, help_text="As the event names it, or the customer's id."
    )
    meter = Text(max_length=LONGEST, required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": Instant(required=False, help_text="First reported then or later."),
            "to": Instant(required=False, help_text="First reported before."),
        }


class RejectionQuery(Narrowed, CursorQuery):
    """Which of them, and where to go on."""

    status = serializers.ChoiceField(STATUSES, required=False)


class RetryInput(Strict):
    """How to try one again."""

    any_age = Flag(default=False, required=False, help_text=_ANY_AGE_HELP)


class RetryManyInput(Narrowed):
    """Which to try again, at most 5,000 at once; `after` is `next` of the answer before."""

    any_age = Flag(default=False, required=False, help_text=_ANY_AGE_HELP)
    after = serializers.UUIDField(required=False)


@extend_schema_field(
    {
        "anyOf": [
            {"type": "object", "additionalProperties": {}},
            {"type": "array", "items": {}},
            *({"type": kind} for kind in ("string", "number", "boolean", "null")),
        ]
    }
)
class Came(serializers.JSONField):
    """Whatever JSON somebody sent in an event's place."""


@extend_schema_serializer(component_name="UsageRejection")
class RejectedOutput(Answer):
    """An event that was not counted. It is one, however often it was reported."""

    id = serializers.UUIDField(help_text="The rejection's; the event's own is in `event_id`.")
    status = serializers.SerializerMethodField()
    code = serializers.CharField()
    detail = serializers.CharField()
    event_id = serializers.CharField(help_text="Empty where it says none.")
    customer = serializers.UUIDField(
        source="customer_id", allow_null=True, help_text="Null while nobody knows them."
    )
    customer_name = serializers.CharField(help_text="As the event names them.")
    meter = serializers.CharField(source="meter_code")
    event = Came(help_text="As it came; a text, where it could not be parsed.")
    is_retryable = serializers.BooleanField(help_text="Whether it can be tried again.")
    index = serializers.IntegerField(help_text="Its place in the batch in which it came last.")
    reported_by = serializers.CharField()
    received_at = Instant(help_text="When it came first; its age is judged by that.")
    last_received_at = Instant()
    tries = serializers.IntegerField(help_text="How often it was rejected.")
    resolved_at = Instant(allow_null=True)
    resolved_by = serializers.CharField()

    @extend_schema_field(serializers.ChoiceField(STATUSES))
    def get_status(self, row: RejectedUsage) -> str:
        """`open` until it is counted or dismissed."""
        return row.resolution.lower() or "open"


@extend_schema_serializer(component_name="UsageRetry")
class RetriedOutput(Answer):
    """What became of them; the three together are all that were tried."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField(help_text="Again; they stay open.")
    next = serializers.UUIDField(
        source="last", allow_null=True, help_text="The next call's `after`."
    )


class UsageRejections(Endpoint):
    """All of them."""

    operator_only = frozenset({"GET"})
    filters = RejectionQuery

    @extend_schema(
        operation_id="listUsageRejections",
        summary="List usage that was not counted",
        description=(
            "Operators only. Newest first. Every event of a batch that was rejected, until it is "
            "pruned (`NOTIFICATION_DAYS` after it was last reported)."
        ),
        parameters=[RejectionQuery],
        responses={
            200: cursor_listing("rejections", RejectedOutput, "UsageRejection"),
            **problems(400, 403),
        },
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = _narrowed(query)
        if "status" in query:
            resolution = "" if query["status"] == "open" else query["status"].upper()
            rows = rows.filter(resolution=resolution)
        return cursor_page(request, "rejections", rows, query, show=RejectedOutput.all_of)


class OneUsageRejection(Endpoint):
    """One of them."""

    operator_only = frozenset({"GET", "DELETE"})

    @extend_schema(
        operation_id="getUsageRejection",
        summary="Read an event that was not counted",
        description="Operators only.",
        responses={200: RejectedOutput, **problems(403, 404)},
    )
    def get(self, request: Request, rejection_id: UUID) -> Response:
        """Read it."""
        return Response(_shown(rejection_id))

    @extend_schema(
        operation_id="dismissUsageRejection",
        summary="Dismiss an event that was not counted",
        description=(
            "Operators only. It is kept as dismissed until it is pruned, and open again if it is "
            "reported again. One that is resolved already stays as it is."
        ),
        request=None,
        responses={204: None, **problems(403, 404)},
    )
    def delete(self, request: Request, rejection_id: UUID) -> Response:
        """Dismiss it."""
        rejections.dismiss(rejection_id, by=caller(request).name, now=clock.now())
        return Response(status=204)


class UsageRejectionRetry(Endpoint):
    """One of them once more."""

    operator_only = frozenset({"POST"})
    is_atomic = False  # counting commits by itself

    @extend_schema(
        operation_id="retryUsageRejection",
        summary="Try to count an event again",
        description=(
            "Operators only. As if it were reported once more, but its age is judged by when it "
            "came first: what was on time then is counted. What was too old then is rejected again "
            "unless `any_age` says otherwise."
        ),
        request=RetryInput,
        responses={200: RejectedOutput, **problems(400, 403, 404, 409)},
        examples=[OpenApiExample("However old", {"any_age": True}, request_only=True)],
    )
    def post(self, request: Request, rejection_id: UUID) -> Response:
        """Count it, or say why not."""
        retried = rejections.retry_one(
            rejection_id,
            by=caller(request).name,
            now=clock.now(),
            is_any_age_taken=self.read(RetryInput)["any_age"],
        )
        draw_soon(retried.customers)
        return Response(_shown(rejection_id))


class UsageRejectionRetries(Endpoint):
    """Many of them once more."""

    operator_only = frozenset({"POST"})
    is_atomic = False  # as above

    @extend_schema(
        operation_id="retryUsageRejections",
        summary="Try to count many events again",
        description=(
            "Operators only. Those that are open and can be read, oldest first, at most 5,000 at "
            "once: call again with `after` until `next` is null."
        ),
        request=RetryManyInput,
        responses={200: RetriedOutput, **problems(400, 403)},
        examples=[
            OpenApiExample(
                "A meter that is known now", {"code": "unknown_meter"}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Count them, or say how many not."""
        query = self.read(RetryManyInput)
        rows = _narrowed(query)
        if "after" in query:
            rows = rows.filter(pk__gt=query["after"])
        retried = rejections.retry(
            rows, by=caller(request).name, now=clock.now(), is_any_age_taken=query["any_age"]
        )
        draw_soon(retried.customers)
        return Response(RetriedOutput.of(retried))


def _narrowed(query: dict[str, Any]) -> QuerySet[RejectedUsage]:
    rows = RejectedUsage.objects.all()
    if "code" in query:
        rows = rows.filter(code=query["code"])
    if "customer" in query:
        rows = rows.about(query["customer"])
    if "meter" in query:
        rows = rows.filter(meter_code=query["meter"])
    if "from" in query:
        rows = rows.filter(received_at__gte=query["from"])
    if "to" in query:
        rows = rows.filter(received_at__lt=query["to"])
    return rows


def _shown(rejection_id: UUID) -> dict[str, Any]:
    return RejectedOutput.of(
        found(RejectedUsage.objects.all(), rejection_id, noun="rejected event")
    )
