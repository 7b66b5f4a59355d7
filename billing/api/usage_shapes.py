"""The shapes of usage: events as they are reported, and what became of them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from billing.api.cursors import NumberedCursorQuery
from billing.api.fields import Answer, Exact, Instant, Json, Strict, Text
from billing.api.usage_reading import LONGEST, MAX_EVENTS


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Data(Json):
    """The data of a CloudEvent."""


class UsageEventInput(serializers.Serializer[Any]):
    """One thing used. The same `id` for the same customer is a duplicate, whatever else it says."""

    id = serializers.CharField(max_length=LONGEST)
    customer = serializers.CharField(help_text="The customer's id, or the organization's.")
    meter = serializers.CharField()
    quantity = Exact()
    occurred_at = Instant(required=False, allow_null=True, help_text="The customer's present.")
    properties = Json(required=False)


class UsageBatchInput(serializers.Serializer[Any]):
    """Up to 5,000 events."""

    events: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=UsageEventInput(), max_length=MAX_EVENTS
    )


class CloudEventInput(serializers.Serializer[Any]):
    """A CloudEvent 1.0. Attributes and extensions that are not named here are left out."""

    specversion = serializers.ChoiceField(["1.0"])
    id = serializers.CharField(max_length=LONGEST, help_text="The event's id.")
    source = serializers.CharField(max_length=LONGEST, help_text="Kept as a property.")  # type: ignore[assignment]  # CloudEvents names it so
    subject = serializers.CharField(help_text="The customer's id, or the organization's.")
    type = serializers.CharField(help_text="The meter.")
    time = Instant(required=False, allow_null=True, help_text="The customer's present.")
    data = Data(  # type: ignore[assignment]  # as above
        required=False, allow_null=True, help_text="`quantity` (1 without it), and properties."
    )


class UsageEventChange(serializers.Serializer[Any]):
    """What happened instead. Without `occurred_at`, it happened when the one before did."""

    id = serializers.CharField(max_length=LONGEST, required=False, help_text="As in the path.")
    customer = serializers.CharField(help_text="The customer's id, or the organization's.")
    meter = serializers.CharField()
    quantity = Exact()
    occurred_at = Instant(required=False, allow_null=True, help_text="As before.")
    properties = Json(required=False)


class UsageEventQuery(Strict):
    """Whose event it is."""

    customer = Text(
        max_length=LONGEST,
        required=False,
        help_text="The customer's id, or the organization's; a customer's token has its own.",
    )


class UsageEventsQuery(NumberedCursorQuery):
    """Which events."""

    customer = Text(
        max_length=LONGEST, required=False, help_text="The customer's id, or the organization's."
    )
    meter = Text(max_length=64, required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": Instant(required=False, help_text="That occurred then or later."),
            "to": Instant(required=False, help_text="That occurred before."),
        }


@extend_schema_serializer(component_name="UsageEvent")
class UsageEventOutput(Answer):
    """An event as it stands. `revision` says how often it was replaced."""

    id = serializers.CharField(source="event_id")
    customer = serializers.UUIDField(source="customer_id")
    meter = serializers.CharField(source="meter.code")
    occurred_at = Instant()
    quantity = Exact(help_text="What it counts; 1 for a meter of events or of unique values.")
    properties = Json()
    revision = serializers.IntegerField()
    recorded_at = Instant()


class RejectionOutput(Answer):
    """Why one event was not taken. It is kept, and listed at `/usage-rejections`."""

    index = serializers.IntegerField(help_text="Its place in the batch, from 0.")
    id = serializers.CharField(allow_null=True, help_text="The event's, where it says one.")
    code = serializers.CharField()
    detail = serializers.CharField()


@extend_schema_serializer(component_name="UsageReceipt")
class ReceiptOutput(Answer):
    """What became of the events; the three together are all of them."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RejectionOutput(many=True)
