"""The books for others to read: streamed from one snapshot, whatever their size.

What is streamed reads by a server-side cursor, in a read-only transaction that begins with the
first chunk and ends with the last one, or when the generator is closed, as a server does when its
client has hung up. A client that only stands still is cut off by PostgreSQL (`_PATIENCE`), so that
nobody keeps a connection of the pool, and old rows from being cleared away, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, F, Min, Prefetch, Q, QuerySet, Sum, When

from billing.core.exporting import beancount, jsonl, tables
from billing.core.exporting.values import AccountTotals, ExportedEntry, ExportedLine
from billing.core.postings import Account, AccountKind, Side
from billing.models import CreditNote, Invoice, JournalEntry, JournalLine

AT_ONCE: Final = 500
_CHUNK: Final = 1 << 15
_PATIENCE: Final = "5min"
_A_DAY: Final = timedelta(days=1)
_SIGNED: Final = Case(When(side=Side.DEBIT, then=F("amount_minor")), default=-F("amount_minor"))


class Form(StrEnum):
    """CSV: a row for each posting. JSONL: a line for each entry. BEANCOUNT: text for that."""

    CSV = "CSV"
    JSONL = "JSONL"
    BEANCOUNT = "BEANCOUNT"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries: true from `start` on and before `end`, of one customer, of one kind."""

    start: datetime | None = None
    end: datetime | None = None
    customer_id: UUID | None = None
    kind: str | None = None

    def of(self, rows: QuerySet[Any], *, entry: str = "") -> QuerySet[Any]:
        """Those rows; `entry` leads from a row to its entry."""
        wanted = {
            "occurred_at__gte": self.start,
            "occurred_at__lt": self.end,
            "customer": self.customer_id,
            "kind": self.kind,
        }
        said = {f"{entry}{name}": value for name, value in wanted.items() if value is not None}
        return rows.filter(**said)


def journal(selection: Selection, form: Form) -> Iterator[bytes]:
    """The entries in the order in which they were true, in chunks of some kilobytes."""
    return chunked(_FORMS[form](selection))


def count(selection: Selection) -> int:
    """How many entries there are."""
    return selection.of(JournalEntry.objects.all()).count()


def totals(selection: Selection) -> list[AccountTotals]:
    """What each account moved in each currency, and what it held before, by code and currency."""
    before = Q(pk__in=[]) if selection.start is None else Q(entry__occurred_at__lt=selection.start)
    rows = replace(selection, start=None).of(JournalLine.objects.all(), entry="entry__")
    sums = (
        rows.values_list("account_id", "account__kind", "account__name", "currency")
        .annotate(
            opening=Sum(_SIGNED, filter=before, default=0),
            debit=Sum("amount_minor", filter=Q(side=Side.DEBIT) & ~before, default=0),
            credit=Sum("amount_minor", filter=Q(side=Side.CREDIT) & ~before, default=0),
        )
        .order_by("account_id", "currency")
    )
    return [
        AccountTotals(Account(code, AccountKind(kind), name), currency, *map(int, amounts))
        for code, kind, name, currency, *amounts in sums
    ]


def of_month(first: date) -> list[AccountTotals]:
    """The totals of a month, in UTC; accounts that never held anything are not among them."""
    start = datetime(first.year, first.month, 1, tzinfo=UTC)
    end = (start + 31 * _A_DAY).replace(day=1)
    return totals(Selection(start=start, end=end))


@dataclass(frozen=True, slots=True)
class Documents:
    """Which finalized documents: issued from `start` on and before `end`.

    With a status those invoices that have it, and the credit notes of those.
    """

    start: datetime | None = None
    end: datetime | None = None
    customer_id: UUID | None = None
    status: str | None = None

    def invoices(self) -> QuerySet[Invoice]:
        """The invoices, in the order of their issue."""
        rows = Invoice.objects.filter(number__isnull=False)
        return self._of(rows, status="status").order_by("issued_at", "pk")

    def credit_notes(self) -> QuerySet[CreditNote]:
        """The credit notes, in the order of their issue."""
        rows = self._of(CreditNote.objects.all(), status="invoice__status")
        return rows.order_by("issued_at", "pk")

    def _of(self, rows: QuerySet[Any], *, status: str) -> QuerySet[Any]:
        wanted = {
            "issued_at__gte": self.start,
            "issued_at__lt": self.end,
            "customer": self.customer_id,
            status: self.status,
        }
        return rows.filter(**{name: value for name, value in wanted.items() if value is not None})


@contextmanager
def snapshot() -> Iterator[None]:
    """One view of everything, which PostgreSQL keeps from writing.

    Inside a transaction of the caller's it is that one's view.
    """
    is_ours = not connection.in_atomic_block
    with transaction.atomic():
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{_PATIENCE}'")
        yield


def in_batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Rows by a server-side cursor, so many at once that what belongs to them is worth fetching.

    Inside `snapshot`, where a cursor lives as long as its transaction.
    """
    batch = []
    for row in rows.iterator(chunk_size=AT_ONCE):
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def entries(selection: Selection) -> Iterator[ExportedEntry]:
    """The entries in the order in which they were true. Inside `snapshot`."""
    lines = JournalLine.objects.select_related("account", "invoice").only(
        "entry", "side", "amount_minor", "currency", "account", "invoice__number"
    )
    rows = selection.of(JournalEntry.objects.all()).order_by("occurred_at", "pk")
    whole = rows.prefetch_related(Prefetch("lines", lines.order_by("pk")))
    for row in whole.iterator(chunk_size=AT_ONCE):
        yield _entry(row)


def _csv(selection: Selection) -> Generator[str]:
    yield tables.text_of([tables.JOURNAL_COLUMNS])
    with snapshot():
        for entry in entries(selection):
            yield tables.text_of(tables.journal_rows(entry))


def _jsonl(selection: Selection) -> Generator[str]:
    with snapshot():
        for entry in entries(selection):
            yield jsonl.line_of(entry)


def _beancount(selection: Selection) -> Generator[str]:
    with snapshot():
        accounts, first = totals(selection), _first_day(selection)
        if first is None:
            return
        yield from beancount.head(accounts, on=first)
        yield beancount.opening(accounts, on=first)
        last = first
        for entry in entries(selection):
            yield beancount.transaction(entry)
            last = beancount.day(entry.occurred_at)
        yield from beancount.assertions(accounts, on=last + _A_DAY)


_FORMS: Final[dict[Form, Callable[[Selection], Generator[str]]]] = {
    Form.CSV: _csv,
    Form.JSONL: _jsonl,
    Form.BEANCOUNT: _beancount,
}


def _first_day(selection: Selection) -> date | None:
    """The day before which nothing is told; None where there is nothing to tell."""
    if selection.start is not None:
        return beancount.day(selection.start)
    found = selection.of(JournalEntry.objects.all()).aggregate(first=Min("occurred_at"))["first"]
    return None if found is None else beancount.day(found)


def _entry(row: JournalEntry) -> ExportedEntry:
    return ExportedEntry(
        id=row.pk,
        kind=row.kind,
        customer_id=row.customer_id,
        source_kind=row.source_kind,
        source_id=row.source_id,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        key=row.idempotency_key,
        context=row.context,
        lines=[_line(line) for line in row.lines.all()],
    )


def _line(row: JournalLine) -> ExportedLine:
    return ExportedLine(
        account=Account(row.account_id, AccountKind(row.account.kind), row.account.name),
        side=Side(row.side),
        amount=row.amount,
        invoice_id=row.invoice_id,
        invoice_number=(row.invoice.number or "") if row.invoice else "",
    )


def chunked(texts: Generator[str]) -> Iterator[bytes]:
    """Text in pieces that are worth sending."""
    kept: list[str] = []
    size = 0
    with closing(texts):
        for text in texts:
            kept.append(text)
            size += len(text)
            if size >= _CHUNK:
                yield "".join(kept).encode()
                kept, size = [], 0
    if kept:
        yield "".join(kept).encode()
