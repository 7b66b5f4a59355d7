"""Finalized documents as files: each as the API shows it, and as a page to read."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import UTC
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation

from billing.api.invoice_shapes import readable, show
from billing.api.return_shapes import CreditNoteOutput, credit_notes
from billing.core.exporting.zipped import File, zipped
from billing.core.money import Money
from billing.documents.files import plain_name
from billing.models import CreditNote, Invoice
from billing.queries import exports
from billing.queries.exports import Documents


def archive(documents: Documents) -> Iterator[bytes]:
    """A ZIP of invoices and credit notes, by the year and month of their issue."""
    with closing(_files(documents)) as files:
        yield from zipped(files)


def _files(documents: Documents) -> Generator[File]:
    wanted = documents.invoices().values("pk")
    invoices = readable().filter(pk__in=wanted).order_by("issued_at", "pk")
    credited = documents.credit_notes().values("pk")
    notes = credit_notes().filter(pk__in=credited).order_by("issued_at", "pk")
    with exports.snapshot():
        for batch in exports.in_batches(invoices):
            for invoice, shown in zip(batch, show(batch), strict=True):
                yield from _pair(invoice, shown, title="Invoice")
        for batch in exports.in_batches(notes):
            for note in batch:
                yield from _pair(note, CreditNoteOutput.of(note), title="Credit note")


def _pair(document: Invoice | CreditNote, shown: dict[str, Any], *, title: str) -> Iterator[File]:
    """Both files of a document. Numbers are unique by seller only, so the id stands behind."""
    at = document.issued_at
    if at is None or document.number is None:
        raise ValueError("A draft is no document.")
    number = plain_name(document.number)
    name = f"{at.astimezone(UTC):%Y-%m}/{number} {str(document.pk)[-6:]}"
    text = json.dumps(shown, ensure_ascii=False, indent=2)
    yield File(f"{name}.json", at, text.encode())
    context = {"title": title, "document": document, "shown": shown, "lines": _lines(document)}
    with translation.override("en"), timezone.override(UTC):
        page = render_to_string("billing/exported.html", context)
    yield File(f"{name}.html", at, page.encode())


def _lines(document: Invoice | CreditNote) -> list[dict[str, Any]]:
    """What the page lists, with its amounts as money."""
    lines = sorted(document.lines.all(), key=lambda line: line.position or 0)
    return [
        {
            "description": line.description,
            "explanation": getattr(line, "explanation", ""),
            "quantity": line.quantity,
            "unit_amount": getattr(line, "unit_amount", None),
            "amount": getattr(line, "amount", None)
            or Money(getattr(line, "net_minor", 0), document.currency),
        }
        for line in lines
    ]
