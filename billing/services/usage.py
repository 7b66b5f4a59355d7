"""Usage, counted as it arrives.

One statement inserts a batch, drops what is known already and adds the rest to the two counters;
their cost does not grow with the number of events. Rows are touched in key order, so that
concurrent batches never deadlock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from psycopg.types.json import Jsonb

from billing.models import BillingPeriod
from billing.services import locks
from customers.models import Customer
from plans.models import Meter

OLDEST: Final = timedelta(days=60)
FUTURE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Report:
    """One event as a caller reports it.

    :param event_id: the caller's own id; the same one again is a duplicate, whatever it says.
    :param customer: an organization's id, or the customer's.
    :param occurred_at: None for the customer's present.
    """

    event_id: str
    customer: str
    meter: str
    quantity: Decimal
    occurred_at: datetime | None = None
    properties: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one event of a batch was not taken."""

    index: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch; accepted + duplicates + rejected are all of it."""

    accepted: int
    duplicates: int
    rejected: Sequence[Rejection]


@dataclass(frozen=True, slots=True)
class _Payer:
    """A customer, as far as counting needs to know them."""

    pk: UUID
    zone: ZoneInfo
    present: datetime


@dataclass(frozen=True, slots=True)
class _Event:
    """A report whose customer, meter and time are known."""

    payer: _Payer
    meter: Meter
    report: Report
    occurred_at: datetime

    @property
    def quantity(self) -> Decimal:
        """What it adds to a total."""
        is_count = self.meter.aggregation == Meter.Aggregation.COUNT
        return Decimal(1) if is_count else self.report.quantity


def record(
    reports: Sequence[Report], *, now: datetime, only_customer: UUID | None = None
) -> Receipt:
    """Count a batch of events, each once. What cannot be counted is told, and stops nothing.

    :param only_customer: the one customer the caller may report for; None for any.
    """
    payers = _payers({report.customer for report in reports}, only_customer, now)
    meters = {
        meter.code: meter
        for meter in Meter.objects.filter(code__in={report.meter for report in reports})
    }
    events: list[_Event] = []
    rejected: list[Rejection] = []
    for index, report in enumerate(reports):
        payer, meter = payers.get(report.customer), meters.get(report.meter)
        if payer is None or meter is None:
            rejected.append(_unknown(index, report, is_customer_known=payer is not None))
            continue
        event = _Event(payer, meter, report, report.occurred_at or payer.present)
        fault = _fault(index, event)
        if fault is None:
            events.append(event)
        else:
            rejected.append(fault)
    accepted = _count(events, now=now) if events else 0
    return Receipt(accepted, len(events) - accepted, rejected)


def place(periods: Sequence[BillingPeriod]) -> None:
    """Count in periods that have just opened the events that were waiting for one.

    The caller holds the locks on their subscriptions.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _PLACE,
            {
                "periods": [period.pk for period in periods],
                "customers": [period.customer_id for period in periods],
            },
        )


def close(periods: Sequence[BillingPeriod]) -> dict[UUID, dict[str, Decimal]]:
    """Close the periods' totals and read them: period → meter code → quantity.

    What is counted in them from now on is late. A meter that counted nothing gets its row too,
    so that the door is shut for it as well.
    """
    pairs = [(period.pk, code) for period in periods for code in period.meters]
    totals: dict[UUID, dict[str, Decimal]] = {period.pk: {} for period in periods}
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSE, {"periods": [pair[0] for pair in pairs], "codes": [pair[1] for pair in pairs]}
        )
        for period_id, code, quantity in cursor.fetchall():
            totals[period_id][code] = quantity
    return totals


def _payers(names: Collection[str], only_customer: UUID | None, now: datetime) -> dict[str, _Payer]:
    """Customers by every name a report may use for them."""
    ids = [name for name in names if _is_uuid(name)]
    rows = Customer.objects.filter(Q(organization_id__in=names) | Q(pk__in=ids)).annotate(
        present=Coalesce("test_clock__now", Value(now))
    )
    return {
        name: payer
        for pk, organization_id, zone, present in rows.values_list(
            "pk", "organization_id", "timezone", "present"
        )
        if only_customer in {None, pk}
        for payer in [_Payer(pk, ZoneInfo(zone), present)]
        for name in (str(pk), organization_id)
    }


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _unknown(index: int, report: Report, *, is_customer_known: bool) -> Rejection:
    if is_customer_known:
        return Rejection(index, "unknown_meter", f"There is no meter {report.meter!r}.")
    return Rejection(index, "unknown_customer", f"There is no customer {report.customer!r}.")


def _fault(index: int, event: _Event) -> Rejection | None:
    """Why an event cannot be counted, if it cannot."""
    present = event.payer.present
    if not event.quantity.is_finite() or event.quantity < 0:
        return Rejection(index, "invalid_quantity", "The quantity must not be negative.")
    if event.occurred_at < present - OLDEST:
        return Rejection(index, "too_old", "The event is older than 60 days.")
    if event.occurred_at > present + FUTURE:
        return Rejection(index, "in_the_future", "The event is over 5 minutes in the future.")
    return None


@transaction.atomic(durable=True)
def _count(events: Sequence[_Event], *, now: datetime) -> int:
    """Insert and count; the number of events that were new.

    An event whose meter no period counts at that instant waits for one. It may only be left
    waiting under the lock that opening a period takes, so that either this finds the period or
    whoever opens it finds the event. That lock comes before the totals' rows in the order of
    locks, hence the step back.
    """
    batch = _columns(events, now)
    step_back = transaction.savepoint()
    accepted, waiting = _execute_count(batch)
    if waiting:
        transaction.savepoint_rollback(step_back)
        locks.live_subscriptions(waiting)
        accepted, _ = _execute_count(batch)
    return accepted


def _columns(events: Sequence[_Event], now: datetime) -> dict[str, Any]:
    ordered = sorted(events, key=lambda event: (event.payer.pk, event.report.event_id))
    return {
        "customers": [event.payer.pk for event in ordered],
        "ids": [event.report.event_id for event in ordered],
        "meters": [event.meter.pk for event in ordered],
        "codes": [event.meter.code for event in ordered],
        "instants": [event.occurred_at for event in ordered],
        "quantities": [event.quantity for event in ordered],
        "properties": [Jsonb(event.report.properties or {}) for event in ordered],
        "days": [event.occurred_at.astimezone(event.payer.zone).date() for event in ordered],
        "now": now,
    }


def _execute_count(batch: Mapping[str, Any]) -> tuple[int, list[UUID]]:
    """The number of new events, and the customers whose events wait for a period."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, batch)
        accepted, waiting = cursor.fetchone()
    return accepted, waiting or []


# What every counting statement ends with: `counted` are the events, placed where they could be.
_ADD_TO_TOTALS: Final = """
totals AS (
  INSERT INTO billing_usagetotal AS total
         (period_id, meter_id, quantity, late_quantity, is_closed)
  SELECT period_id, meter_id, sum(quantity), 0, false
    FROM counted WHERE period_id IS NOT NULL
   GROUP BY period_id, meter_id ORDER BY period_id, meter_id
  ON CONFLICT (period_id, meter_id) DO UPDATE SET
    quantity = CASE WHEN total.is_closed THEN total.quantity
                    ELSE total.quantity + excluded.quantity END,
    late_quantity = CASE WHEN total.is_closed THEN total.late_quantity + excluded.quantity
                         ELSE 0 END
)
"""

_COUNT: Final = f"""
WITH incoming AS (
  SELECT * FROM unnest(
    %(customers)s::uuid[], %(ids)s::text[], %(meters)s::uuid[], %(codes)s::text[],
    %(instants)s::timestamptz[], %(quantities)s::numeric[], %(properties)s::jsonb[],
    %(days)s::date[]
  ) AS event(customer_id, event_id, meter_id, code, occurred_at, quantity, properties, day)
), counted AS (
  INSERT INTO billing_usageevent
         (customer_id, event_id, meter_id, occurred_at, quantity, properties, day, period_id,
          recorded_at)
  SELECT event.customer_id, event.event_id, event.meter_id, event.occurred_at, event.quantity,
         event.properties, event.day, period.id, %(now)s
    FROM incoming event
    LEFT JOIN billing_billingperiod period
      ON period.customer_id = event.customer_id
     AND period.starts_at <= event.occurred_at AND event.occurred_at < period.ends_at
     AND event.code = ANY(period.meters)
   ORDER BY event.customer_id, event.event_id
  ON CONFLICT (customer_id, event_id) DO NOTHING
  RETURNING customer_id, meter_id, occurred_at, quantity, day, period_id
), days AS (
  INSERT INTO billing_usageday AS total (customer_id, meter_id, day, quantity)
  SELECT customer_id, meter_id, day, sum(quantity) FROM counted
   GROUP BY customer_id, meter_id, day ORDER BY customer_id, meter_id, day
  ON CONFLICT (customer_id, meter_id, day) DO UPDATE
    SET quantity = total.quantity + excluded.quantity
), {_ADD_TO_TOTALS}
SELECT count(*), array_agg(DISTINCT customer_id) FILTER (WHERE period_id IS NULL) FROM counted
"""

_PLACE: Final = f"""
WITH counted AS (
  UPDATE billing_usageevent event SET period_id = period.id
    FROM billing_billingperiod period, plans_meter meter
   WHERE event.customer_id = ANY(%(customers)s) AND event.period_id IS NULL
     AND period.id = ANY(%(periods)s) AND period.customer_id = event.customer_id
     AND meter.id = event.meter_id AND meter.code = ANY(period.meters)
     AND period.starts_at <= event.occurred_at AND event.occurred_at < period.ends_at
  RETURNING event.period_id, event.meter_id, event.quantity
), {_ADD_TO_TOTALS}
SELECT count(*) FROM counted
"""

_CLOSE: Final = """
WITH closed AS (
  INSERT INTO billing_usagetotal AS total
         (period_id, meter_id, quantity, late_quantity, is_closed)
  SELECT pair.period_id, meter.id, 0, 0, true
    FROM unnest(%(periods)s::uuid[], %(codes)s::text[]) AS pair(period_id, code)
    JOIN plans_meter meter ON meter.code = pair.code
   ORDER BY pair.period_id, meter.id
  ON CONFLICT (period_id, meter_id) DO UPDATE SET is_closed = true
  RETURNING period_id, meter_id, quantity
)
SELECT closed.period_id, meter.code, closed.quantity
  FROM closed JOIN plans_meter meter ON meter.id = closed.meter_id
"""
