"""`/usage-events`: what was used."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api import usage_examples
from billing.api.cursors import cursor_listing, cursor_page
from billing.api.customers import customer_called
from billing.api.endpoint import Endpoint
from billing.api.openapi import problems
from billing.api.permissions import own
from billing.api.tokens import caller
from billing.api.usage_formats import (
    CloudEventParser,
    CloudEventsParser,
    CsvParser,
    JsonLinesParser,
    UsageJsonParser,
)
from billing.api.usage_reading import items, report, require_few
from billing.api.usage_shapes import (
    ReceiptOutput,
    UsageEventChange,
    UsageEventOutput,
    UsageEventQuery,
    UsageEventsQuery,
)
from billing.core.errors import InvalidError
from billing.core.rate_classes import RateClass
from billing.models import UsageEvent
from billing.queries import prepaid
from billing.services import corrections, ingestion
from billing.services.usage import Receipt, Report, Unreadable


class UsageEvents(Endpoint):
    """Events come in. Each is known by its own id, so a repetition counts nothing twice."""

    rate_class = RateClass.USAGE
    is_atomic = False
    parser_classes = [
        UsageJsonParser,
        JsonLinesParser,
        CloudEventParser,
        CloudEventsParser,
        CsvParser,
    ]

    filters = UsageEventsQuery

    @extend_schema(
        operation_id="listUsageEvents",
        summary="List usage events",
        description=(
            "As they stand, the last reported first; not those that were withdrawn or replaced. By "
            "cursor."
        ),
        parameters=[UsageEventsQuery],
        responses={
            200: cursor_listing("usage_events", UsageEventOutput, "UsageEvent"),
            **problems(400, 404),
        },
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, UsageEvent.objects.filter(withdrawn_at=None).select_related("meter"))
        if "customer" in query:
            rows = rows.filter(customer=customer_called(request, query["customer"]))
        if "meter" in query:
            rows = rows.filter(meter__code=query["meter"])
        if "from" in query:
            rows = rows.filter(occurred_at__gte=query["from"])
        if "to" in query:
            rows = rows.filter(occurred_at__lt=query["to"])
        return cursor_page(request, "usage_events", rows, query, show=UsageEventOutput.all_of)

    @extend_schema(
        operation_id="reportUsage",
        summary="Report usage",
        description=(
            "One event, or up to 5,000: as JSON, JSON Lines, CloudEvents 1.0 or CSV, each also "
            "with `Content-Encoding: gzip`. An event is counted exactly once, in the period of its "
            "`occurred_at`. In a batch, an event that cannot be taken is listed in `rejected` and "
            "stops no other. Older than 60 days or over 5 minutes in the future, by the customer's "
            "clock: rejected. So is one without the property that its meter reads, or with one "
            "that cannot be counted. What is rejected is kept at `/usage-rejections`. A customer's "
            "token reports for that customer only."
        ),
        parameters=[
            OpenApiParameter(
                "Content-Encoding", str, OpenApiParameter.HEADER, enum=["gzip", "identity"]
            )
        ],
        request=usage_examples.REQUESTS,
        responses={202: ReceiptOutput, **problems(400, 403, 413, 415, 422)},
        examples=usage_examples.EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Count them."""
        events, is_batch = _events(request.data)
        found = items(events)
        if not is_batch and isinstance(found[0], Unreadable):
            raise InvalidError(found[0].detail, code=found[0].code)
        receipt = ingestion.take(
            found,
            by=f"token {caller(request).token.prefix}…",
            now=clock.now(),
            only_customer=caller(request).customer_id,
        )
        draw_soon({item.customer for item in found if isinstance(item, Report)})
        return Response(_shown(receipt), status=202)


class OneUsageEvent(Endpoint):
    """One event, by the caller's own id of it."""

    rate_class = RateClass.USAGE
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
        draw_soon({str(event.customer_id)})
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
        draw_soon({customer})
        return Response(status=204)


def draw_soon(customers: set[str] | frozenset[str]) -> None:
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
    return report({**body, "id": event_id})


def _events(body: Any) -> tuple[list[Any], bool]:
    """The events, and whether they came as a batch."""
    if isinstance(body, Unreadable):
        return [body], False
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
    require_few(len(events) if isinstance(events, list) else 0)
    return events, True


def _shown(receipt: Receipt) -> Any:
    rejected = [
        {
            "index": row.index,
            "id": row.event_id or None,
            "code": row.code,
            "detail": row.detail,
        }
        for row in receipt.rejected
    ]
    return ReceiptOutput.of(
        {"accepted": receipt.accepted, "duplicates": receipt.duplicates, "rejected": rejected}
    )
