"""Usage: batches counted, deduplicated and committed, against bare bulk inserts of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial

from django.db import connection

from bench import people
from bench.measure import Result, rate
from billing.services import usage
from billing.services.usage import Report
from customers.models import Customer

BATCH = 1000
METERS = 5


def measure(count: int) -> Iterator[Result]:
    """Spread over many customers, then all on one; the limit is the insert alone."""
    everybody = people.subscribe(people.catalogue(METERS), 2000)
    limit = rate(count, lambda: _insert_only(everybody, count))
    for name, whom in (("spread over 2,000 customers", everybody), ("all on one", everybody[:1])):
        batches = [_batch(whom, name, start) for start in range(0, count, BATCH)]
        counted = rate(count, partial(_record, batches))
        yield Result(f"usage, {name}", "events", counted, "INSERT … unnest with the key", limit)


def _record(batches: Sequence[Sequence[Report]]) -> None:
    for batch in batches:
        usage.record(batch, now=people.APRIL + timedelta(days=20))


def _batch(whom: Sequence[Customer], name: str, start: int) -> list[Report]:
    return [
        Report(
            event_id=f"{name}-{number}",
            customer=whom[number * 7919 % len(whom)].organization_id,
            meter=f"meter_{number % METERS}",
            quantity=Decimal(1),
            occurred_at=people.APRIL + timedelta(seconds=number % 1_600_000),
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
                " properties, day, recorded_at) SELECT customer, event, %s, %s, 1, '{}', %s, now()"
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
