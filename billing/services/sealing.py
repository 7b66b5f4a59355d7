"""Binds the journal into a chain of blocks, off the write path: nothing ever waits for it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from billing.queries import chain
from billing.services import locks

MOST: Final = 5000

# Within a block entries stand in the order of time. What is not committed yet is not seen here.
_SEAL: Final = f"""
WITH taken AS (
  DELETE FROM billing_unsealedentry WHERE entry_id IN (
    SELECT entry_id FROM billing_unsealedentry ORDER BY entry_id LIMIT %(most)s)
  RETURNING entry_id
), digested AS MATERIALIZED (
  SELECT entry.id, row_number() OVER (ORDER BY entry.occurred_at, entry.id) AS position,
         {chain.DIGEST} AS digest
    FROM taken JOIN billing_journalentry entry ON entry.id = taken.entry_id
), last AS (
  SELECT coalesce(max(number), 0) AS number,
         coalesce((array_agg(hash ORDER BY number DESC))[1], '{chain.FIRST_PREVIOUS}') AS hash
    FROM (SELECT number, hash FROM billing_journalblock ORDER BY number DESC LIMIT 1) newest
), block AS (
  INSERT INTO billing_journalblock (number, previous_hash, hash, entries, sealed_at)
  SELECT last.number + 1, last.hash,
         {chain.block_hash("last.hash", "string_agg(digest, '' ORDER BY position)")},
         count(*), %(now)s
    FROM digested, last GROUP BY last.number, last.hash
  RETURNING number
)
INSERT INTO billing_journalseal (entry_id, block_id, position, digest)
SELECT id, block.number, position, digest FROM digested, block
"""  # noqa: S608  # constants


def seal(*, now: datetime) -> int:
    """Seal all that is committed and not sealed yet; how many entries that were.

    Each block is a transaction of its own. Where another run is at it, this one ends at once.
    """
    sealed = 0
    while block := _seal_block(now):
        sealed += block
    return sealed


@transaction.atomic
def _seal_block(now: datetime) -> int:
    """How many entries the next block binds; none where there are none, or somebody is at it."""
    if not locks.is_alone("seal"):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_SEAL, {"most": MOST, "now": now})
        return int(cursor.rowcount)
