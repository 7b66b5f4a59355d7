"""The chain of blocks that seals the journal, and how it is computed, in SQL.

An entry's digest is SHA-256 over a canonical text of the entry and its lines: a JSON array, in
which PostgreSQL writes numbers, strings and objects in one way only and NULL as none of them.
Instants are microseconds, so that no session's time zone matters. A block's hash is SHA-256 over
the previous block's and the digests of its entries in their places.
"""

from __future__ import annotations

from typing import Final

from billing.models import JournalBlock

FIRST_PREVIOUS: Final = "0" * 64

_MICROSECONDS: Final = "(extract(epoch FROM {}) * 1000000)::bigint"
# Of the row `entry`.
DIGEST: Final = f"""
  encode(sha256(convert_to(jsonb_build_array(
    entry.id, entry.kind, entry.customer_id, entry.source_kind, entry.source_id,
    {_MICROSECONDS.format("entry.occurred_at")}, {_MICROSECONDS.format("entry.recorded_at")},
    entry.idempotency_key, entry.context,
    (SELECT jsonb_agg(jsonb_build_array(line.id, line.account_id, line.side, line.amount_minor,
                                        line.currency, line.invoice_id) ORDER BY line.id)
       FROM billing_journalline line WHERE line.entry_id = entry.id)
  )::text, 'UTF8')), 'hex')"""  # noqa: S608  # constants


def block_hash(previous: str, digests: str) -> str:
    """SQL: a block's hash of the previous one and its digests strung together."""
    return f"encode(sha256(convert_to({previous} || {digests}, 'UTF8')), 'hex')"


def head() -> JournalBlock | None:
    """The newest block. Its hash, noted down elsewhere, vouches for all before it."""
    return JournalBlock.objects.order_by("-number").first()
