"""Comma-separated values (RFC 4180, but lines end as on every system of today)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Final

from billing.core.exporting.values import AccountTotals, ExportedEntry, instant, plain
from billing.core.postings import Side

JOURNAL_COLUMNS: Final = (
    "entry",
    "line",
    "occurred_at",
    "recorded_at",
    "kind",
    "account",
    "account_name",
    "account_kind",
    "debit",
    "credit",
    "currency",
    "invoice",
    "invoice_number",
    "customer",
    "source_kind",
    "source",
    "key",
)
TOTALS_COLUMNS: Final = (
    "month",
    "account",
    "name",
    "kind",
    "currency",
    "opening",
    "debit",
    "credit",
    "closing",
)


def text_of(rows: Iterable[Sequence[str]]) -> str:
    """Rows as text, each with its line's end."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def journal_rows(entry: ExportedEntry) -> Iterator[Sequence[str]]:
    """One row for each posting; an entry that moved nothing has none."""
    for number, line in enumerate(entry.lines, start=1):
        is_debit = line.side == Side.DEBIT
        yield (
            str(entry.id),
            str(number),
            instant(entry.occurred_at),
            instant(entry.recorded_at),
            entry.kind.lower(),
            line.account.code,
            line.account.name,
            line.account.kind.lower(),
            plain(line.amount) if is_debit else "",
            "" if is_debit else plain(line.amount),
            line.amount.currency,
            str(line.invoice_id or ""),
            line.invoice_number,
            str(entry.customer_id or ""),
            entry.source_kind,
            str(entry.source_id or ""),
            entry.key,
        )


def totals_row(month: str, totals: AccountTotals) -> Sequence[str]:
    """What an account moved in a month, in one currency."""
    return (
        month,
        totals.account.code,
        totals.account.name,
        totals.account.kind.lower(),
        totals.currency,
        plain(totals.opening),
        plain(totals.debit),
        plain(totals.credit),
        plain(totals.closing),
    )
