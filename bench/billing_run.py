"""The billing run: subscriptions due with three lines each, against COPY of the same rows."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from bench import people
from bench.measure import Result, rate
from billing.services import cycle

ROWS_OF_AN_INVOICE = ("billing_invoice", "billing_invoiceline")


def measure(count: int) -> Iterator[Result]:
    """One worker, then the limit."""
    people.subscribe(people.catalogue(meters=2), count)
    invoices = rate(count, lambda: cycle.run(now=people.MAY))
    yield Result(
        "billing run, one worker",
        "invoices",
        invoices,
        "COPY of the same invoices and lines",
        rate(count, lambda: _copy(ROWS_OF_AN_INVOICE)),
    )


def _copy(tables: tuple[str, ...]) -> None:
    """Read the rows out and COPY them into tables of the same shape, keys included."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"CREATE TEMP TABLE copy_{table} (LIKE {table} INCLUDING ALL)")
            with cursor.copy(f"COPY {table} TO STDOUT") as out:
                rows = list(out)
            with cursor.copy(f"COPY copy_{table} FROM STDIN") as into:
                for row in rows:
                    into.write(row)
