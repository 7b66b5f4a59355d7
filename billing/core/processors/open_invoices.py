"""What is still owed on which invoice, and since when: the ageing of receivables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Final

from billing.core.postings import RECEIVABLES
from billing.core.processors.base import Entry, Place, Values

FINALIZED: Final = "INVOICE_FINALIZED"
_SAID: Final = ("number", "due_at")


class OpenInvoices:
    """`(customer, invoice)` → what is due, in what currency, by when, under which number.

    Gone when nothing is due. One that is owed again because a payment was undone has no date: that
    stands in its document.
    """

    name = "open_invoices"

    def places(self, entry: Entry) -> Collection[Place]:
        """The invoices on which it moves what is owed."""
        return [Place(entry.scope, invoice) for invoice, _ in _changes(entry)]

    def fold(self, entry: Entry, before: Values) -> Values:
        """Added up."""
        values = dict(before)
        for (invoice, currency), change in _changes(entry).items():
            place = Place(entry.scope, invoice)
            values[place] = _after(values[place], entry, currency, change)
        return values


def _after(
    value: Mapping[str, Any] | None, entry: Entry, currency: str, change: int
) -> dict[str, Any] | None:
    due = (value["due"] if value else 0) + change
    if not due:
        return None
    said = {name: value[name] for name in _SAID} if value else _said(entry)
    return {**said, "due": due, "currency": currency}


def _said(entry: Entry) -> dict[str, Any]:
    if entry.kind != FINALIZED:
        return {"number": entry.context.get("invoice"), "due_at": None}
    return {name: entry.context.get(name) for name in _SAID}


def _changes(entry: Entry) -> Counter[tuple[str, str]]:
    changes: Counter[tuple[str, str]] = Counter()
    for line in entry.lines:
        if line.account == RECEIVABLES.code and line.invoice is not None:
            changes[str(line.invoice), line.amount.currency] += line.signed
    return changes


PROCESSOR: Final = OpenInvoices()
