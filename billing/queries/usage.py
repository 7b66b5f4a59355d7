"""What was used: by day, and in billing periods."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count

from billing.models import BillingPeriod, UsageDay, UsageValue
from customers.models import Customer
from plans.models import Meter

_NOTHING: Final = Decimal(0)
_MAX: Final = Meter.Aggregation.MAX
_UNIQUE: Final = Meter.Aggregation.UNIQUE
_ADDED_UP: Final = frozenset({Meter.Aggregation.SUM, Meter.Aggregation.COUNT, _UNIQUE})

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Day:
    """One local day's count, and how far the count has come since the first day asked for.

    What `running` is, is the meter's own affair: a sum, the greatest so far, the latest so far, or
    how many values there were.
    """

    day: date
    quantity: Decimal
    running: Decimal


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """What a billing period counted, by component of its plan and by meter.

    A meter's total is what it would be without filters: the sum of its components, the greatest
    or the latest of them, or the values that any of them saw.
    """

    by_component: Mapping[str, Decimal] = field(default_factory=dict)
    by_meter: Mapping[str, Decimal] = field(default_factory=dict)


class _Total(NamedTuple):
    """A row of `UsageTotal`."""

    period_id: UUID
    meter: str
    component: str
    aggregation: str
    quantity: Decimal
    latest_at: datetime | None


def of_period(period: BillingPeriod | None) -> PeriodUsage:
    """What a period counted; nothing where there is none."""
    return PeriodUsage() if period is None else totals([period.pk])[period.pk]


def totals(period_ids: Sequence[UUID]) -> dict[UUID, PeriodUsage]:
    """What each of some periods counted."""
    with connection.cursor() as cursor:  # every check of an entitlement comes by here
        cursor.execute(_TOTALS, [list(period_ids)])
        rows = [_Total(*row) for row in cursor.fetchall()]
    by_component: dict[UUID, dict[str, Decimal]] = {period_id: {} for period_id in period_ids}
    by_meter: dict[UUID, dict[str, Decimal]] = {period_id: {} for period_id in period_ids}
    for row in rows:
        by_component[row.period_id][row.component] = row.quantity
    shared: list[tuple[UUID, str]] = []
    for (period_id, meter), grouped in groupby(rows, key=lambda row: (row.period_id, row.meter)):
        parts = list(grouped)
        by_meter[period_id][meter] = _joint(parts)
        if len(parts) > 1 and parts[0].aggregation == _UNIQUE:
            shared.append((period_id, meter))
    for period_id, meter, values in _distinct(shared):
        by_meter[period_id][meter] = values
    return {
        period_id: PeriodUsage(by_component[period_id], by_meter[period_id])
        for period_id in period_ids
    }


_TOTALS: Final = """
SELECT total.period_id, meter.code, total.component, total.aggregation, total.quantity,
       total.latest_at
  FROM billing_usagetotal total JOIN plans_meter meter ON meter.id = total.meter_id
 WHERE total.period_id = ANY(%s::uuid[])
 ORDER BY total.period_id, meter.code
"""


def by_day(customer: Customer, meter: str, *, start: date, end: date) -> Sequence[Day]:
    """Every local day from `start` up to, but not including, `end`; empty days are zero.

    Of unique values, a day counts those that it saw first, as far as periods have counted them.
    """
    dates = [start + timedelta(days=offset) for offset in range((end - start).days)]
    aggregation = Meter.objects.filter(code=meter).values_list("aggregation", flat=True).first()
    if aggregation == _UNIQUE:
        periods = BillingPeriod.objects.filter(customer=customer).values_list("pk", flat=True)
        seen = _first_seen(list(periods), [meter], start=start, end=end)
        return _running(aggregation, dates, seen.get(meter, {}))
    days = UsageDay.objects.filter(
        customer=customer, meter__code=meter, day__gte=start, day__lt=end
    )
    if aggregation == Meter.Aggregation.LAST:  # a day that was withdrawn has no latest
        days = days.exclude(latest_at=None)
    counted = dict(days.values_list("day", "quantity"))
    return _running(aggregation or Meter.Aggregation.SUM, dates, counted)


def days_of_period(
    period: BillingPeriod,
    used: PeriodUsage,
    aggregations: Mapping[str, str],
    *,
    zone: ZoneInfo,
    until: datetime,
) -> dict[str, Sequence[Day]]:
    """Meter code → the local days of a period up to an instant, in two reads for all meters.

    A day that began in the period before is counted from the period's start only: it counts what
    the other days leave of the period's total, so that the last running total is exact.

    :param aggregations: those of the meters by code.
    :param zone: the customer's.
    """
    start = period.starts_at.astimezone(zone).date()
    last = min(until, period.ends_at).astimezone(zone).date()
    dates = [start + timedelta(days=offset) for offset in range((last - start).days + 1)]
    counted: dict[str, dict[date, Decimal]] = {}
    rows = UsageDay.objects.filter(
        customer=period.customer_id, meter__code__in=period.meters, day__gte=start, day__lte=last
    ).exclude(day=start, latest_at__lt=period.starts_at)
    for code, day, quantity in rows.values_list("meter__code", "day", "quantity"):
        counted.setdefault(code, {})[day] = quantity
    of_values = [code for code in period.meters if aggregations.get(code) == _UNIQUE]
    counted |= _first_seen([period.pk], of_values, start=start, end=last + timedelta(days=1))
    return {
        code: _running(
            aggregation,
            dates,
            _from_the_start(
                aggregation, start, counted.get(code, {}), used.by_meter.get(code, _NOTHING)
            ),
        )
        for code in period.meters
        for aggregation in [aggregations.get(code, Meter.Aggregation.SUM)]
    }


def _from_the_start(
    aggregation: str, start: date, counted: Mapping[date, Decimal], total: Decimal
) -> dict[date, Decimal]:
    """The days of a period whose first may have begun in the one before."""
    later = {day: quantity for day, quantity in counted.items() if day != start}
    if aggregation == _UNIQUE:
        return dict(counted)
    if aggregation in _ADDED_UP:
        first = max(total - sum(later.values(), _NOTHING), _NOTHING)
    elif not later or (aggregation == _MAX and total > max(later.values())):
        first = total
    else:
        first = counted.get(start, _NOTHING)
        if aggregation == _MAX:
            first = min(first, total)
    return {start: first, **later}


def running(
    aggregation: str, keys: Iterable[_Key], counted: Mapping[_Key, Decimal]
) -> Iterator[tuple[_Key, Decimal, Decimal]]:
    """What was counted by day or hour, in their order, and how far the count has come by each."""
    so_far = _NOTHING
    for key in keys:
        quantity = counted.get(key, _NOTHING)
        if aggregation in _ADDED_UP:
            so_far += quantity
        elif aggregation == _MAX:
            so_far = max(so_far, quantity)
        elif key in counted:
            so_far = quantity
        yield key, quantity, so_far


def _running(
    aggregation: str, dates: Sequence[date], counted: Mapping[date, Decimal]
) -> Sequence[Day]:
    return [Day(*row) for row in running(aggregation, dates, counted)]


def _joint(parts: Sequence[_Total]) -> Decimal:
    """The total of a meter with these components; of unique values, if they have none in common."""
    aggregation = parts[0].aggregation
    if aggregation in _ADDED_UP:
        return sum((part.quantity for part in parts), _NOTHING)
    if aggregation == _MAX:
        return max(part.quantity for part in parts)
    dated = [(part.latest_at, part.quantity) for part in parts if part.latest_at is not None]
    return max(dated)[1] if dated else _NOTHING


def _distinct(meters: Sequence[tuple[UUID, str]]) -> Iterator[tuple[UUID, str, Decimal]]:
    """How many different values some meters saw in a period, whatever the component."""
    if not meters:
        return
    rows = UsageValue.objects.filter(
        period__in={period_id for period_id, _ in meters},
        meter__code__in={meter for _, meter in meters},
    )
    counted = rows.values_list("period_id", "meter__code").annotate(
        values=Count("value", distinct=True)
    )
    for period_id, meter, values in counted.order_by():
        yield period_id, meter, Decimal(values)


def _first_seen(
    periods: Sequence[UUID], meters: Sequence[str], *, start: date, end: date
) -> dict[str, dict[date, Decimal]]:
    """Meter code → local day → how many values were seen first on it, in any of the periods."""
    found: dict[str, dict[date, Decimal]] = {}
    if meters:
        with connection.cursor() as cursor:
            cursor.execute(_FIRST_SEEN, [list(periods), list(meters), start, end])
            for meter, day, values in cursor.fetchall():
                found.setdefault(meter, {})[day] = Decimal(values)
    return found


_FIRST_SEEN: Final = """
SELECT code, first_on, count(*)
  FROM (SELECT meter.code, kept.value, min(kept.day) AS first_on
          FROM billing_usagevalue kept JOIN plans_meter meter ON meter.id = kept.meter_id
         WHERE kept.period_id = ANY(%s::uuid[]) AND meter.code = ANY(%s)
           AND kept.day >= %s AND kept.day < %s
         GROUP BY meter.code, kept.value) seen
 GROUP BY code, first_on
"""
