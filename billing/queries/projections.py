"""What processors made of the journal, never stale.

Stored values lag behind by what is not sealed and digested yet. A read of one customer's carries
those entries on into them, by the same fold, on one snapshot.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import connection

from billing.core.processors import all_processors
from billing.core.processors.base import Place, Processor, Value, fold_into
from billing.models import ProcessorPosition
from billing.queries import entries
from customers.models import Customer

# The position stands in the statement as a number, or the planner would read all of the customer's
# entries to find the newest. It was read before, so that the blocks from it on are enough.
_OF_CUSTOMER: Final = f"""
SELECT 'position', NULL::bigint, NULL::bigint, NULL::timestamptz, NULL::uuid, NULL,
       to_jsonb(coalesce((SELECT block FROM billing_processorposition
                           WHERE processor = %(processor)s), 0))
UNION ALL
SELECT 'value', NULL, NULL, NULL, NULL, key, value
  FROM billing_projection WHERE processor = %(processor)s AND scope = %(scope)s
UNION ALL
SELECT 'entry', block_id, position, occurred_at, id, NULL, to_jsonb(sealed) FROM (
  SELECT seal.block_id, seal.position, {entries.COLUMNS}
    FROM billing_journalseal seal JOIN billing_journalentry entry ON entry.id = seal.entry_id
   WHERE seal.block_id > %(position)s AND entry.customer_id = %(customer)s) sealed
UNION ALL
SELECT 'entry', NULL, NULL, occurred_at, id, NULL, to_jsonb(unsealed) FROM (
  SELECT {entries.COLUMNS}
    FROM billing_unsealedentry waiting JOIN billing_journalentry entry
      ON entry.id = waiting.entry_id
   WHERE waiting.customer_id = %(customer)s) unsealed
"""  # noqa: S608  # constants


def of(name: str, customer: Customer) -> dict[str, Value]:
    """What a processor makes of a customer's entries, all of them: key → value."""
    processor, scope = all_processors()[name], str(customer.pk)
    values: dict[Place, Value | None] = {}
    position, tail = 0, []
    for what, block, place, at, pk, key, value in _read(processor, customer):
        if what == "position":
            position = int(value)
        elif what == "value":
            values[Place(scope, key)] = value
        else:
            # Sealed ones first, in their places; the others as they will be sealed.
            tail.append((block is None, block or 0, place or 0, at, pk, value))
    for is_waiting, block, _, _, _, stored in sorted(tail, key=lambda found: found[:5]):
        if is_waiting or block > position:
            fold_into(processor, entries.read_json(stored), values)
    return {
        place.key: value
        for place, value in values.items()
        if place.scope == scope and value is not None
    }


def _read(processor: Processor, customer: Customer) -> list[tuple[Any, ...]]:
    known = ProcessorPosition.objects.filter(processor=processor.name)
    position = known.values_list("block", flat=True).first() or 0
    parameters: dict[str, str | int | UUID] = {
        "processor": processor.name,
        "scope": str(customer.pk),
        "customer": customer.pk,
        "position": position,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OF_CUSTOMER, parameters)
        return [(*row[:-1], entries.parsed(row[-1])) for row in cursor.fetchall()]
