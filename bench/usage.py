"""Usage: batches counted, deduplicated and committed, against bare bulk inserts of the rows.

Sums first; then meters of every kind, each event looking for its component among filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial

from django.db import connection

from bench import people
from bench.measure import Result, rate
from billing.models import BillingPeriod, UsageDay, UsageTotal
from billing.services import entitlement_changes, usage
from billing.services.usage import Report
from customers.models import Customer
from plans.models import Meter

BATCH = 1000
METERS = 5
_MODELS = ("large", "small", "tiny")


def measure(count: int) -> Iterator[Result]:
    """Spread over many customers, then all on one; the limit is the insert alone."""
    everybody = people.subscribe(people.catalogue(METERS), 2000)
    limit = rate(count, lambda: _insert_only(everybody, count))
    for name, whom in (("spread over 2,000 customers", everybody), ("all on one", everybody[:1])):
        yield _measured(f"usage, {name}", whom, count, limit=limit)
    _count_every_kind()
    name = "usage of every kind, filtered"
    yield _measured(name, everybody, count, limit=limit, has_properties=True)


def _measured(
    name: str, whom: Sequence[Customer], count: int, *, limit: float, has_properties: bool = False
) -> Result:
    batches = [
        _batch(whom, name, start, has_properties=has_properties)
        for start in range(0, count + BATCH, BATCH)
    ]
    _record(batches[:1])
    _be_told()
    counted = rate(count, partial(_record, batches[1:]))
    return Result(name, "events", counted, "INSERT … unnest with the key", limit)


def _count_every_kind() -> None:
    """Make each meter one of another kind, with a component for two of three models."""
    kinds = zip(Meter.objects.order_by("code"), Meter.Aggregation.values, strict=True)
    for meter, aggregation in kinds:
        meter.aggregation, meter.field = aggregation, "user" if aggregation == "UNIQUE" else ""
        meter.save()
    UsageTotal.objects.all().delete()
    UsageDay.objects.all().delete()
    filters = [
        {"meter": f"meter_{n}", "component": f"meter_{n}[model={model}]", "only": {"model": model}}
        for n in range(METERS)
        for model in ("large", "small")
    ]
    BillingPeriod.objects.update(filters=filters)


def _record(batches: Sequence[Sequence[Report]]) -> None:
    for batch in batches:
        usage.record(batch, now=people.APRIL + timedelta(days=20))


def _be_told() -> None:
    """As a worker does all the time: look at what was marked, and say how far it may come."""
    while entitlement_changes.tell(now=people.APRIL + timedelta(days=20)):
        pass


def _properties(number: int) -> dict[str, str]:
    return {"user": f"user {number % 997}", "model": _MODELS[number % 3]}


def _batch(
    whom: Sequence[Customer], name: str, start: int, *, has_properties: bool
) -> list[Report]:
    return [
        Report(
            event_id=f"{name}-{number}",
            customer=whom[number * 7919 % len(whom)].organization_id,
            meter=f"meter_{number % METERS}",
            quantity=Decimal(1),
            occurred_at=people.APRIL + timedelta(seconds=number % 1_600_000),
            properties=_properties(number) if has_properties else None,
        )
        for number in range(start, start + BATCH)
    ]


def _insert_only(whom: Sequence[Customer], count: int) -> None:
    """The same rows into a table of the same shape and key, a commit for each batch."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (LIKE billing_usageevent INCLUDING ALL)")
        cursor.execute("SELECT id FROM plans_meter LIMIT 1")
        (meter,) = cursor.fetchone()
        for start in range(0, count, BATCH):
            numbers = range(start, start + BATCH)
            cursor.execute(
                "INSERT INTO bare (customer_id, event_id, meter_id, occurred_at, quantity,"
                " properties, day, recorded_at, revision, withdrawn_by)"
                " SELECT customer, event, %s, %s, 1, '{}', %s, now(), 0, ''"
                " FROM unnest(%s::uuid[], %s::text[]) AS row(customer, event)"
                " ON CONFLICT DO NOTHING",
                [
                    meter,
                    people.APRIL,
                    people.APRIL.date(),
                    [whom[number * 7919 % len(whom)].pk for number in numbers],
                    [f"bare-{number}" for number in numbers],
                ],
            )
        cursor.execute("DROP TABLE bare")
