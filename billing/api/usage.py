"""`/usage-events`: what was used. Parsed by hand, because thousands come at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.utils import (
    OpenApiExample,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.endpoint import Endpoint
from billing.api.fields import (
    Answer,
    Exact,
    Instant,
    Json,
    Strict,
    Text,
    decimal,
    instant,
    storable,
)
from billing.api.openapi import problems
from billing.api.tokens import caller
from billing.core.errors import InvalidError
from billing.queries import prepaid
from billing.services import corrections, usage
from billing.services.usage import Receipt, Rejection, Report

MAX_EVENTS: Final = 5000
_LONGEST: Final = 255
_REQUIRED: Final = ("id", "customer", "meter", "quantity")
_FIELDS: Final = frozenset({*_REQUIRED, "occurred_at", "properties"})


class UsageEventInput(serializers.Serializer[Any]):
    """One thing used. The same `id` for the same customer is a duplicate, whatever else it says."""

    id = serializers.CharField(max_length=_LONGEST)
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


class UsageEventChange(serializers.Serializer[Any]):
    """What happened instead. Without `occurred_at`, it happened when the one before did."""

    id = serializers.CharField(max_length=_LONGEST, required=False, help_text="As in the path.")
    customer = serializers.CharField(help_text="The customer's id, or the organization's.")
    meter = serializers.CharField()
    quantity = Exact()
    occurred_at = Instant(required=False, allow_null=True, help_text="As before.")
    properties = Json(required=False)


class UsageEventQuery(Strict):
    """Whose event it is."""

    customer = Text(
        max_length=_LONGEST,
        required=False,
        help_text="The customer's id, or the organization's; a customer's token has its own.",
    )


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
    """Why one event was not taken."""

    index = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


@extend_schema_serializer(component_name="UsageReceipt")
class ReceiptOutput(Answer):
    """What became of the events; the three together are all of them."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RejectionOutput(many=True)


class UsageEvents(Endpoint):
    """Events come in. Each is known by its own id, so a repetition counts nothing twice."""

    is_atomic = False

    @extend_schema(
        operation_id="reportUsage",
        summary="Report usage",
        description=(
            "One event, or up to 5,000 as `events`. An event is counted exactly once, in the "
            "period of its `occurred_at`. In a batch, an event that cannot be taken is listed in "
            "`rejected` and stops no other. Older than 60 days or over 5 minutes in the future, "
            "by the customer's clock: rejected. So is one without the property that its meter "
            "reads, or with one that cannot be counted. A customer's token reports for that "
            "customer only."
        ),
        request=PolymorphicProxySerializer(
            component_name="UsageEvents",
            serializers=[UsageEventInput, UsageBatchInput],
            resource_type_field_name=None,
        ),
        responses={202: ReceiptOutput, **problems(400, 403, 413, 422)},
        examples=[
            OpenApiExample(
                "One event",
                {
                    "id": "7d1c9f0e",
                    "customer": "org_alice",
                    "meter": "api_calls",
                    "quantity": "300",
                    "occurred_at": "2026-04-20T10:00:00Z",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Count them."""
        events, is_batch = _events(request.data)
        reports, faults = _reports(events)
        if faults and not is_batch:
            raise InvalidError(faults[0].detail, code=faults[0].code)
        receipt = usage.record(
            list(reports.values()), now=clock.now(), only_customer=caller(request).customer_id
        )
        _draw_soon({report.customer for report in reports.values()})
        return Response(_shown(receipt, list(reports), faults), status=202)


class OneUsageEvent(Endpoint):
    """One event, by the caller's own id of it."""

    filters = UsageEventQuery
    filtered_methods = frozenset({"DELETE"})  # it says whose event it is

    @extend_schema(
        operation_id="replaceUsageEvent",
        summary="Replace a usage event",
        description=(
            "The event counts no more, and this one counts in its stead: in another period, on "
            "another meter, as it says. Where a period was invoiced already, the next invoice "
            "adjusts it. An event that was withdrawn counts again. Refused where a new event "
            "would be, with the same codes."
        ),
        request=UsageEventChange,
        responses={200: UsageEventOutput, **problems(400, 403, 404)},
        examples=[
            OpenApiExample(
                "Another quantity",
                {"customer": "org_alice", "meter": "api_calls", "quantity": "250"},
                request_only=True,
            )
        ],
    )
    def put(self, request: Request, event_id: str) -> Response:
        """Replace it."""
        event = corrections.replace(
            _replacement(request.data, event_id),
            by=caller(request).name,
            now=clock.now(),
            only_customer=caller(request).customer_id,
        )
        _draw_soon({str(event.customer_id)})
        return Response(UsageEventOutput.of(event))

    @extend_schema(
        operation_id="withdrawUsageEvent",
        summary="Withdraw a usage event",
        description=(
            "It counts no more, however old it is. Where its period was invoiced already, the "
            "next invoice adjusts it. Its id stays taken: reported again, it is a duplicate."
        ),
        request=None,
        parameters=[UsageEventQuery],
        responses={204: None, **problems(400, 403, 404)},
    )
    def delete(self, request: Request, event_id: str) -> Response:
        """Withdraw it."""
        own = caller(request).customer_id
        customer = self.filtered().get("customer") or (own and str(own))
        if not customer:
            sentence = "Say whose event it is."
            raise InvalidError(sentence, code="required", errors={"customer": [sentence]})
        corrections.withdraw(
            customer, event_id, by=caller(request).name, now=clock.now(), only_customer=own
        )
        _draw_soon({customer})
        return Response(status=204)


def _draw_soon(customers: set[str]) -> None:
    """What those who prepay have used is drawn by a worker."""
    tasks.draw_soon(prepaid.prepaying(customers))


def _replacement(body: Any, event_id: str) -> Report:
    """The event that a PUT says happened instead.

    :raises InvalidError: naming what is wrong with it first.
    """
    if not isinstance(body, dict):
        raise InvalidError("An event is an object.", code="invalid_request")
    if body.get("id", event_id) != event_id:
        sentence = "It has another id in the path."
        raise InvalidError(sentence, code="invalid_request", errors={"id": [sentence]})
    return _report({**body, "id": event_id})


def _events(body: Any) -> tuple[list[Any], bool]:
    """The events, and whether they came as a batch."""
    if not isinstance(body, dict):
        raise InvalidError("One event, or an object with “events”.", code="invalid_request")
    if "events" not in body:
        return [body], False
    unknown = [name for name in body if name != "events"]
    if unknown:
        raise InvalidError(
            f"There is no such field: {', '.join(unknown)}.",
            code="unknown_field",
            errors={name: ["There is no such field."] for name in unknown},
        )
    events = body["events"]
    if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
        sentence = f"A list of 1 to {MAX_EVENTS:,} events."
        raise InvalidError(sentence, code="invalid_request", errors={"events": [sentence]})
    return events, True


def _reports(events: list[Any]) -> tuple[dict[int, Report], list[Rejection]]:
    """The well-formed events by their index, and what is wrong with the others."""
    reports: dict[int, Report] = {}
    faults: list[Rejection] = []
    for index, event in enumerate(events):
        try:
            reports[index] = _report(event)
        except InvalidError as fault:
            faults.append(Rejection(index, fault.code, fault.detail))
    return reports, faults


def _report(event: Any) -> Report:
    """An event as the service takes it.

    :raises InvalidError: naming what is wrong with it first.
    """
    if not isinstance(event, dict):
        raise InvalidError("An event is an object.", code="invalid_request")
    if not event.keys() <= _FIELDS:
        unknown = ", ".join(str(name) for name in event if name not in _FIELDS)
        raise InvalidError(f"There is no such field: {unknown}.", code="unknown_field")
    for name in ("id", "customer", "meter"):
        _require_text(event, name)
    return Report(
        event_id=event["id"],
        customer=event["customer"],
        meter=event["meter"],
        quantity=_quantity(event),
        occurred_at=_occurred_at(event),
        properties=_properties(event),
    )


def _require_text(event: Mapping[str, Any], name: str) -> None:
    value = event.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise InvalidError(f"“{name}” is a text of 1 to {_LONGEST} characters.", code="required")


def _quantity(event: Mapping[str, Any]) -> Any:
    try:
        return decimal(event.get("quantity"))
    except InvalidError as fault:
        raise InvalidError(f"“quantity”: {fault.detail}", code="invalid_quantity") from None


def _occurred_at(event: Mapping[str, Any]) -> Any:
    text = event.get("occurred_at")
    moment = instant(text)
    if text is not None and moment is None:
        raise InvalidError(
            f"“occurred_at”: {Instant.default_error_messages['invalid']}", code="invalid_instant"
        )
    return moment


def _properties(event: Mapping[str, Any]) -> dict[str, Any]:
    properties = event.get("properties", {})
    if not isinstance(properties, dict):
        raise InvalidError("“properties” is an object.", code="invalid_properties")
    try:
        kept: dict[str, Any] = storable(properties)
    except ValueError:
        raise InvalidError(
            f"“properties”: {Json.default_error_messages['inexact']}", code="invalid_properties"
        ) from None
    return kept


def _shown(receipt: Receipt, indexes: list[int], faults: list[Rejection]) -> Any:
    """The service counted only what was well-formed; tell it by the batch's own indexes."""
    refused = [Rejection(indexes[row.index], row.code, row.detail) for row in receipt.rejected]
    rejected = sorted([*faults, *refused], key=lambda row: row.index)
    return ReceiptOutput.of(
        {"accepted": receipt.accepted, "duplicates": receipt.duplicates, "rejected": rejected}
    )
