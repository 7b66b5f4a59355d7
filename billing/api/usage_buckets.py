"""`/customers/{id}/usage`: what they used, by local day or hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from billing.queries import usage, usage_hours
from billing.queries.usage_hours import Bucket
from customers.models import Customer
from plans.models import Meter

_A_DAY: Final = timedelta(days=1)
_BUCKETS: Final = ("day", "hour")


@dataclass(frozen=True, slots=True)
class _Extent:
    """How many days may be asked for at once, and how many are without a `from`."""

    most: int
    usual: int


_EXTENTS: Final = {"day": _Extent(366, 30), "hour": _Extent(31, 1)}


class UsageQuery(Strict):
    """Which meter, from when up to when."""

    meter = Text(max_length=64)
    bucket = serializers.ChoiceField(_BUCKETS, default="day", required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": Text(
                required=False,
                help_text="A date or an instant; 30 days before `to`, or 1 day of hours.",
            ),
            "to": Text(required=False, help_text="A date or an instant, not included; tomorrow."),
        }


class UsageBucketOutput(Answer):
    """One local day or hour of the customer's; `running` is the total since `from`."""

    start = Instant()
    end = Instant()
    quantity = Exact()
    running = Exact()


@extend_schema_serializer(component_name="Usage")
class UsageOutput(Answer):
    """What a meter counted, day by day or hour by hour."""

    customer = serializers.UUIDField()
    meter = serializers.CharField()
    unit = serializers.CharField()
    timezone = serializers.CharField()
    bucket = serializers.ChoiceField(_BUCKETS)
    quantity = Exact()
    usage = UsageBucketOutput(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {**super().get_fields(), "from": Instant(), "to": Instant()}


class CustomerUsage(Endpoint):
    """What a customer used."""

    filters = UsageQuery

    @extend_schema(
        operation_id="getUsage",
        summary="What a customer used, by day or hour",
        description=(
            "Days and hours are those of the customer's time zone; those without usage are there, "
            "as zero. At most 366 days, or 31 by hour. A day on which the clocks change has 23 or "
            "25 hours. The hours of a day agree with the day: they add up to it, or their greatest "
            "or their latest is the day's, as the meter aggregates."
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
        buckets = _COUNTED[query["bucket"]](customer, meter, start, end)
        shown = {
            "customer": customer.pk,
            "meter": meter.code,
            "unit": meter.unit,
            "timezone": customer.timezone,
            "bucket": query["bucket"],
            "from": _midnight(start, customer),
            "to": _midnight(end, customer),
            "quantity": buckets[-1].running if buckets else Decimal(0),
            "usage": buckets,
        }
        return Response(UsageOutput.of(shown))


def _by_day(customer: Customer, meter: Meter, start: date, end: date) -> Sequence[Bucket]:
    days = usage.by_day(customer, meter.code, start=start, end=end)
    return [
        Bucket(
            _midnight(day.day, customer),
            _midnight(day.day + _A_DAY, customer),
            day.quantity,
            day.running,
        )
        for day in days
    ]


def _by_hour(customer: Customer, meter: Meter, start: date, end: date) -> Sequence[Bucket]:
    return usage_hours.by_hour(
        customer, meter, start=_midnight(start, customer), end=_midnight(end, customer)
    )


_COUNTED: Final = {"day": _by_day, "hour": _by_hour}


def _days(query: dict[str, Any], customer: Customer) -> tuple[date, date]:
    """The local days asked for, the second not included."""
    extent = _EXTENTS[query["bucket"]]
    today = customer.lives_at(clock.now()).astimezone(customer.zone).date()
    end = _day(query.get("to"), customer, "to", is_end=True) or today + _A_DAY
    start = _day(query.get("from"), customer, "from") or end - timedelta(days=extent.usual)
    if not timedelta(0) <= end - start <= timedelta(days=extent.most):
        raise InvalidError(
            f"“from” comes before “to”, by {extent.most} days at most.",
            code="invalid_range",
            errors={"from": [f"Before “to”, by {extent.most} days at most."]},
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
