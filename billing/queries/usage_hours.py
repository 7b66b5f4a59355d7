"""What was used by the hour: of hours no counts are kept, so their events are added up.

They agree with the days (`usage.by_day`): what these count is counted here, in the hour it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection

from billing.queries import usage
from billing.queries.components import value_of
from customers.models import Customer
from plans.models import Meter

_AN_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of time, what was counted in it, and how far the count has come by its end."""

    start: datetime
    end: datetime
    quantity: Decimal
    running: Decimal


def by_hour(
    customer: Customer, meter: Meter, *, start: datetime, end: datetime
) -> Sequence[Bucket]:
    """Every local hour from `start` up to, but not including, `end`; empty hours are zero.

    Of unique values, an hour counts those that it saw first, as far as periods have counted them.
    """
    edges = _edges(start, end, customer.zone)
    counted = _counted(customer, meter, edges)
    return [
        Bucket(edges[place], edges[place + 1], quantity, running)
        for place, quantity, running in usage.running(
            meter.aggregation, range(len(edges) - 1), counted
        )
    ]


def _edges(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Where the local hours begin, and the last one ends.

    Where the clocks change by half an hour, an hour is shorter or longer by that.
    """
    edges = [start]
    while edges[-1] < end:
        edges.append(min(_next(edges[-1], zone), end))
    return edges


def _next(edge: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the local hour after that of `edge`."""
    local = edge.astimezone(zone)
    later = edge + _AN_HOUR - timedelta(minutes=local.minute, seconds=local.second)
    turned = later.astimezone(zone)
    if turned.hour == local.hour and turned.minute:  # the clocks were put back meanwhile
        later += _AN_HOUR - timedelta(minutes=turned.minute)
    return later.astimezone(UTC)


def _counted(customer: Customer, meter: Meter, edges: Sequence[datetime]) -> Mapping[int, Decimal]:
    """The place of an hour → what was counted in it."""
    if len(edges) < 2:
        return {}
    statement = _OF_VALUES if meter.aggregation == Meter.Aggregation.UNIQUE else _OF_QUANTITIES
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "customer": customer.pk,
                "meter": meter.pk,
                "aggregation": meter.aggregation,
                "start": edges[0],
                "end": edges[-1],
                "edges": list(edges),
            },
        )
        return {place: Decimal(quantity) for place, quantity in cursor.fetchall()}


_THEIRS: Final = """
  event.customer_id = %(customer)s AND event.meter_id = %(meter)s
  AND event.occurred_at >= %(start)s AND event.occurred_at < %(end)s
  AND event.withdrawn_at IS NULL"""

# Of two at the same instant the greater is the latest, as in the totals.
_OF_QUANTITIES: Final = f"""
SELECT width_bucket(event.occurred_at, %(edges)s::timestamptz[]) - 1 AS place,
       CASE %(aggregation)s
         WHEN 'MAX' THEN max(event.quantity)
         WHEN 'LAST' THEN (max(ARRAY[extract(epoch FROM event.occurred_at), event.quantity]))[2]
         ELSE sum(event.quantity) END
  FROM billing_usageevent event WHERE {_THEIRS} GROUP BY place
"""  # noqa: S608  # constants

# A value is new on the day on which a period saw it first, and then in the hour of that day.
_OF_VALUES: Final = f"""
SELECT width_bucket(first_at, %(edges)s::timestamptz[]) - 1 AS place, count(*)
  FROM (SELECT min(event.occurred_at) AS first_at
          FROM billing_usageevent event
          JOIN plans_meter meter ON meter.id = event.meter_id
          JOIN billing_usagevalue kept
            ON kept.period_id = event.period_id AND kept.meter_id = event.meter_id
           AND kept.value = {value_of("event", "meter")} AND kept.day = event.day
         WHERE {_THEIRS}
         GROUP BY kept.value) seen
 GROUP BY place
"""  # noqa: S608  # constants
