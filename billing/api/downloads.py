"""Exports as they leave: streamed, under a name that says what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final

from django.http import HttpResponse, StreamingHttpResponse

from billing.api import documents
from billing.core.exporting import tables
from billing.core.exporting.values import AccountTotals
from billing.queries import exports
from billing.queries import personal as personal_data
from billing.queries.exports import Documents, Form, Selection
from customers.models import Customer

CSV: Final = "text/csv"
JSONL: Final = "application/jsonl"
JSON: Final = "application/json"
TEXT: Final = "text/plain"
ZIP: Final = "application/zip"
# Form → media type, ending of the file's name.
JOURNAL: Final = {
    Form.CSV: (CSV, "csv"),
    Form.JSONL: (JSONL, "jsonl"),
    Form.BEANCOUNT: (TEXT, "beancount"),
}


def journal(selection: Selection, form: Form) -> StreamingHttpResponse:
    """The journal as a file."""
    media_type, ending = JOURNAL[form]
    name = f"journal{_span(selection.start, selection.end)}.{ending}"
    return stream(exports.journal(selection, form), media_type=media_type, name=name)


def archive(selection: Documents) -> StreamingHttpResponse:
    """Invoices and credit notes as a ZIP."""
    name = f"invoices{_span(selection.start, selection.end)}.zip"
    return stream(documents.archive(selection), media_type=ZIP, name=name)


def personal(customer: Customer, *, now: datetime) -> StreamingHttpResponse:
    """Everything that is held on a customer."""
    content = personal_data.export(customer.pk, now=now)
    return stream(content, media_type=JSON, name=f"customer-{customer.pk}.json")


def totals(month: date, found: Iterable[AccountTotals]) -> HttpResponse:
    """A month's totals as a file."""
    name = f"{month:%Y-%m}"
    rows = [tables.TOTALS_COLUMNS, *(tables.totals_row(name, row) for row in found)]
    response = HttpResponse(tables.text_of(rows), content_type=f"{CSV}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="totals-{name}.csv"'
    return response


def stream(content: Iterable[bytes], *, media_type: str, name: str) -> StreamingHttpResponse:
    """A file as it is made. When the client hangs up, the server closes the content.

    :param name: plain ASCII, for the header takes nothing else as it is.
    """
    charset = "" if media_type == ZIP else "; charset=utf-8"
    return StreamingHttpResponse(
        content,
        content_type=f"{media_type}{charset}",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _span(start: datetime | None, end: datetime | None) -> str:
    """`-2026-04-01-2026-05-01`: the second not included."""
    return "".join(f"-{at.astimezone(UTC):%Y-%m-%d}" for at in (start, end) if at is not None)
