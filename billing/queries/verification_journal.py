"""Checks of the journal's seal, and of what processors made of it (see `verification`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

from billing.core.processors import all_processors
from billing.core.processors.base import Place, Value, fold_into
from billing.models import ProcessorPosition, Projection
from billing.queries import chain, entries

CHECKS: Final[dict[str, str]] = {
    "every entry is sealed or waits for it": """
        SELECT entry.id, CASE WHEN seal.entry_id IS NULL THEN 'neither sealed nor waiting'
                              ELSE 'sealed and waiting' END
          FROM billing_journalentry entry
          LEFT JOIN billing_journalseal seal ON seal.entry_id = entry.id
          LEFT JOIN billing_unsealedentry waiting ON waiting.entry_id = entry.id
         WHERE (seal.entry_id IS NULL) = (waiting.entry_id IS NULL)
    """,
    "what waits for its seal is of its entry's customer": """
        SELECT waiting.entry_id, format('waits for customer %s', waiting.customer_id)
          FROM billing_unsealedentry waiting
          LEFT JOIN billing_journalentry entry ON entry.id = waiting.entry_id
         WHERE entry.id IS NULL OR waiting.customer_id IS DISTINCT FROM entry.customer_id
    """,
    "a sealed entry is as it was": f"""
        SELECT format('block %s, place %s', seal.block_id, seal.position),
               CASE WHEN entry.id IS NULL THEN 'entry ' || seal.entry_id || ' is gone'
                    ELSE 'entry ' || seal.entry_id || ' was changed' END
          FROM billing_journalseal seal
          LEFT JOIN billing_journalentry entry ON entry.id = seal.entry_id
         WHERE entry.id IS NULL OR seal.digest <> {chain.DIGEST}
         ORDER BY seal.block_id, seal.position
    """,  # noqa: S608  # constants
    "the chain of blocks holds": f"""
        SELECT 'block ' || number, fault FROM (
          SELECT block.number, CASE
              WHEN block.number <> coalesce(lag(block.number) OVER chain, 0) + 1
                THEN 'a block before it is missing'
              WHEN block.previous_hash
                   <> coalesce(lag(block.hash) OVER chain, '{chain.FIRST_PREVIOUS}')
                THEN 'does not follow the block before it'
              WHEN block.entries <> coalesce(sealed.entries, 0) THEN 'its entries are not all there'
              WHEN sealed.hash IS DISTINCT FROM block.hash THEN 'its hash is not of its entries'
            END AS fault
            FROM billing_journalblock block
            LEFT JOIN (
              SELECT seal.block_id, count(*) AS entries,
                     {
        chain.block_hash(
            "min(link.previous_hash)",
            "string_agg(seal.digest, '' ORDER BY seal.position)",
        )
    } AS hash
                FROM billing_journalseal seal
                JOIN billing_journalblock link ON link.number = seal.block_id
               GROUP BY seal.block_id) sealed ON sealed.block_id = block.number
          WINDOW chain AS (ORDER BY block.number)
          ) found WHERE fault IS NOT NULL ORDER BY number LIMIT 1
    """,  # noqa: S608  # constants
    "every seal is of a block that is there": """
        SELECT seal.entry_id, 'in block ' || seal.block_id
          FROM billing_journalseal seal
          LEFT JOIN billing_journalblock block ON block.number = seal.block_id
         WHERE block.number IS NULL
    """,
    "stored balances are what the sealed journal comes to": """
        SELECT coalesce(stored.scope, sealed.scope) || ' ' || coalesce(stored.key, sealed.key),
               format('stored %s, journal %s', stored.minor, sealed.minor)
          FROM (SELECT scope, key, value::bigint AS minor FROM billing_projection
                 WHERE processor = 'balances') stored
          FULL JOIN (
            SELECT scope, line.currency || ':' || line.account_id AS key,
                   sum(CASE line.side WHEN 'DEBIT' THEN line.amount_minor
                       ELSE -line.amount_minor END) AS minor
              FROM billing_processorposition digested
              JOIN billing_journalseal seal ON seal.block_id <= digested.block
              JOIN billing_journalentry entry ON entry.id = seal.entry_id
              JOIN billing_journalline line ON line.entry_id = entry.id
              CROSS JOIN LATERAL (
                SELECT '' AS scope UNION SELECT coalesce(entry.customer_id::text, '')) scopes
             WHERE digested.processor = 'balances'
             GROUP BY 1, 2) sealed
            ON sealed.scope = stored.scope AND sealed.key = stored.key
         WHERE coalesce(stored.minor, 0) <> coalesce(sealed.minor, 0)
            OR stored.minor = 0
    """,
}

REBUILT: Final = "what a processor stored is what a rebuild gives"


def differences() -> Iterator[tuple[str, str]]:
    """Where stored values are not what the sealed journal folds to: the place, and both values.

    It holds every value in memory; `manage.py rebuild --check` does the same in the database.
    """
    with _one_snapshot():
        for name, folded in _folded().items():
            stored = _stored(name)
            for place in sorted({*stored, *folded}):
                if stored.get(place) != folded.get(place):
                    detail = f"stored {stored.get(place)}, rebuilt {folded.get(place)}"
                    yield f"{name} {place.scope} {place.key}", detail


def _stored(name: str) -> dict[Place, Value]:
    rows = Projection.objects.filter(processor=name).values_list("scope", "key", "value")
    return {Place(scope, key): value for scope, key, value in rows.iterator()}


def _folded() -> dict[str, dict[Place, Value]]:
    """What each processor makes of what it has digested; those that stand together read once."""
    positions = dict(ProcessorPosition.objects.values_list("processor", "block"))
    processors = all_processors()
    values: dict[str, dict[Place, Value | None]] = {name: {} for name in processors}
    for until in {positions.get(name, 0) for name in processors} - {0}:
        together = [name for name in processors if positions.get(name) == until]
        for entry in entries.sealed(after=0, until=until):
            for name in together:
                fold_into(processors[name], entry, values[name])
    return {
        name: {place: value for place, value in made.items() if value is not None}
        for name, made in values.items()
    }


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """What is stored and what it was made of, as of one instant, while processors go on."""
    if transaction.get_connection().in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
