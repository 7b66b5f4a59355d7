"""Entries of the journal as the values that processors fold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from billing.core.money import Money
from billing.core.postings import Side
from billing.core.processors.base import Entry, EntryLine

_CHUNK: Final = 2000

# Of the row `entry`; instants as UTC text, since JSON has none.
COLUMNS: Final = """
  entry.id, entry.kind, entry.idempotency_key, entry.customer_id, entry.occurred_at,
  entry.context, entry.source_kind, entry.source_id,
  (SELECT jsonb_agg(jsonb_build_array(line.account_id, line.side, line.amount_minor, line.currency,
                                      line.invoice_id) ORDER BY line.id)
     FROM billing_journalline line WHERE line.entry_id = entry.id) AS lines"""

_SEALED: Final = f"""
SELECT {COLUMNS} FROM billing_journalseal seal
  JOIN billing_journalentry entry ON entry.id = seal.entry_id
 WHERE seal.block_id > %s AND seal.block_id <= %s
 ORDER BY seal.block_id, seal.position
"""  # noqa: S608  # constants


def sealed(*, after: int, until: int) -> Iterator[Entry]:
    """The entries of the blocks above `after`, up to and with `until`, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(_SEALED, [after, until])
        while rows := cursor.fetchmany(_CHUNK):
            yield from map(read, rows)


def read(row: Sequence[Any]) -> Entry:
    """An entry of its `COLUMNS`."""
    return Entry(
        id=row[0],
        kind=row[1],
        key=row[2],
        customer=row[3],
        occurred_at=row[4],
        context=parsed(row[5]),
        source_kind=row[6],
        source_id=row[7],
        lines=tuple(
            EntryLine(
                account, Side(side), Money(minor, currency), UUID(invoice) if invoice else None
            )
            for account, side, minor, currency, invoice in parsed(row[8]) or []
        ),
    )


def read_json(stored: dict[str, Any]) -> Entry:
    """An entry that `to_jsonb` made of its `COLUMNS`."""
    customer, source = stored["customer_id"], stored["source_id"]
    return read(
        (
            UUID(stored["id"]),
            stored["kind"],
            stored["idempotency_key"],
            UUID(customer) if customer else None,
            datetime.fromisoformat(stored["occurred_at"]),
            stored["context"],
            stored["source_kind"],
            UUID(source) if source else None,
            stored["lines"],
        )
    )


def parsed(found: Any) -> Any:
    """A value of JSON: Django leaves it as text where it reads no field of a model."""
    return json.loads(found) if isinstance(found, str) else found
