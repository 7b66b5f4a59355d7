"""JSON Lines: one entry a line, with its postings and all that it froze."""

from __future__ import annotations

import json
from typing import Any

from billing.core.exporting.values import AccountTotals, ExportedEntry, instant, plain


def line_of(entry: ExportedEntry) -> str:
    """An entry on a line of its own; also one that moved nothing."""
    return json.dumps(shown(entry), ensure_ascii=False, separators=(",", ":")) + "\n"


def shown(entry: ExportedEntry) -> dict[str, Any]:
    """An entry in the words of the API."""
    return {
        "id": str(entry.id),
        "kind": entry.kind.lower(),
        "customer": _text(entry.customer_id),
        "source_kind": entry.source_kind,
        "source": _text(entry.source_id),
        "occurred_at": instant(entry.occurred_at),
        "recorded_at": instant(entry.recorded_at),
        "key": entry.key,
        "context": dict(entry.context),
        "lines": [
            {
                "account": line.account.code,
                "side": line.side.lower(),
                "amount": plain(line.amount),
                "currency": line.amount.currency,
                "invoice": _text(line.invoice_id),
                "invoice_number": line.invoice_number or None,
            }
            for line in entry.lines
        ],
    }


def totals_of(totals: AccountTotals) -> dict[str, Any]:
    """What an account moved, in the words of the API."""
    return {
        "account": totals.account.code,
        "name": totals.account.name,
        "kind": totals.account.kind.lower(),
        "currency": totals.currency,
        "opening": plain(totals.opening),
        "debit": plain(totals.debit),
        "credit": plain(totals.credit),
        "closing": plain(totals.closing),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
