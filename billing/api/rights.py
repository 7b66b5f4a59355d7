"""`/customers/{id}/usage`: what they used."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Exact, Instant, Strict, Text, instant
from billing.api.openapi import problems
from billing.core.errors import InvalidError, NotFoundError
from billing.queries import usage
from customers.models import Customer
from plans.models import Meter

_LONGEST: Final = timedelta(days=366)
_USUAL: Final = timedelta(days=30)
_A_DAY: Final = timedelta(days=1)


class UsageQuery(Strict):
    """Which meter, from when up to when."""

    meter = Text(max_length=64)
    bucket = serializers.ChoiceField(["day", "hour"], default="day", required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": Text(required=False, help_text="A date or an instant; 30 days ago."),
            "to": Text(required=False, help_text="A date or an instant, not included; tomorrow."),
        }

    def validate_bucket(self, word: str) -> str:
        """Only days are counted so far."""
        if word != "day":
            raise serializers.ValidationError("Only “day” is supported so far.", "not_supported")
        return word


class UsageBucketOutput(Answer):
    """One local day of the customer's; `running` is the total since `from`."""

    start = Instant()
    end = Instant()
    quantity = Exact()
    running = Exact()


@extend_schema_serializer(component_name="Usage")
class UsageOutput(Answer):
    """What a meter counted, day by day."""

    customer = serializers.UUIDField()
    meter = serializers.CharField()
    unit = serializers.CharField()
    timezone = serializers.CharField()
    bucket = serializers.ChoiceField(["day", "hour"])
    quantity = Exact()
    usage = UsageBucketOutput(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {**super().get_fields(), "from": Instant(), "to": Instant()}


class UsageByDay(Endpoint):
    """What a customer used."""

    filters = UsageQuery

    @extend_schema(
        operation_id="getUsage",
        summary="What a customer used, by day",
        description=(
            "Days are those of the customer's time zone; days without usage are there, as zero. "
            "At most 366 days."
        ),
        parameters=[UsageQuery],
        responses={200: UsageOutput, **problems(400, 404)},
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Count it."""
        customer = customer_named(request, customer_id)
        query = self.filtered()
        meter = Meter.objects.filter(code=query["meter"]).first()
        if meter is None:
            raise NotFoundError(f"There is no meter {query['meter']!r}.", code="not_found")
        start, end = _days(query, customer)
        days = usage.by_day(customer, meter.code, start=start, end=end)
        shown = {
            "customer": customer.pk,
            "meter": meter.code,
            "unit": meter.unit,
            "timezone": customer.timezone,
            "bucket": query["bucket"],
            "from": _midnight(start, customer),
            "to": _midnight(end, customer),
            "quantity": days[-1].running if days else Decimal(0),
            "usage": [
                {
                    "start": _midnight(day.day, customer),
                    "end": _midnight(day.day + _A_DAY, customer),
                    "quantity": day.quantity,
                    "running": day.running,
                }
                for day in days
            ],
        }
        return Response(UsageOutput.of(shown))


def _days(query: dict[str, Any], customer: Customer) -> tuple[date, date]:
    """The local days asked for, the second not included."""
    today = customer.lives_at(clock.now()).astimezone(customer.zone).date()
    end = _day(query.get("to"), customer, "to", is_end=True) or today + _A_DAY
    start = _day(query.get("from"), customer, "from") or end - _USUAL
    if not timedelta(0) <= end - start <= _LONGEST:
        raise InvalidError(
            "“from” comes before “to”, by 366 days at most.",
            code="invalid_range",
            errors={"from": ["Before “to”, by 366 days at most."]},
        )
    return start, end


def _day(text: str | None, customer: Customer, name: str, *, is_end: bool = False) -> date | None:
    """A date, or the local day of an instant; a day that `to` only begins is counted, too."""
    if text is None:
        return None
    try:
        return (
            date.fromisoformat(text)
            if len(text) == len("2026-04-11")
            else _local(text, customer, is_end=is_end)
        )
    except ValueError:
        raise InvalidError(
            f"“{name}” is a date or an instant with its offset.",
            code="invalid_instant",
            errors={name: ["A date or an instant with its offset."]},
        ) from None


def _local(text: str, customer: Customer, *, is_end: bool) -> date:
    moment = instant(text)
    if moment is None:
        raise ValueError(text)
    local = moment.astimezone(customer.zone)
    begins = is_end and local.time() != time.min
    return local.date() + _A_DAY if begins else local.date()


def _midnight(day: date, customer: Customer) -> datetime:
    return datetime.combine(day, time.min, tzinfo=customer.zone).astimezone(UTC)
