"""`/exports/invoices`: every finalized document, as JSON and as a page."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from billing.api import documents
from billing.core.invoicing import Item
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceSeries
from billing.models.credit_note import CreditReason
from billing.models.seller import SeriesKind
from billing.queries.exports import Documents
from billing.services import invoices
from tests.api.calling import Caller
from tests.api.stage import Stage, set_stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crooked_books]

APRIL = datetime(2026, 4, 1, 9, tzinfo=UTC)


def credited(invoice: Invoice) -> CreditNote:
    """A credit note over all of an invoice of one line."""
    assert invoice.series is not None
    series = InvoiceSeries.objects.create(
        seller=invoice.series.seller, kind=SeriesKind.CREDIT_NOTE, prefix="CN/", next_number=2
    )
    note = CreditNote.objects.create(
        invoice=invoice,
        customer=invoice.customer,
        series=series,
        sequence=1,
        number="CN/000001",
        reason=CreditReason.RETURN,
        currency=invoice.currency,
        tax_minor=0,
        total_minor=invoice.total_minor,
        to_due_minor=invoice.total_minor,
        to_credit_minor=0,
        to_refund_minor=0,
        seller=invoice.seller,
        buyer=invoice.buyer,
        issued_at=APRIL + timedelta(days=40),
    )
    for line in invoice.lines.order_by("position"):
        CreditNoteLine.objects.create(
            credit_note=note,
            invoice_line=line,
            position=line.position or 0,
            description=line.description,
            net_minor=line.amount_minor,
            tax_minor=0,
        )
    return note


@pytest.fixture
def stage(db: None) -> Stage:
    """Alice's pending invoice among others, on 1 April 2026."""
    return set_stage()


def unzipped(operator: Caller, query: str = "") -> dict[str, bytes]:
    """The archive's files by name."""
    answer = operator.get(f"/exports/invoices{query}")
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_documents_as_a_zip(stage: Stage, operator: Caller) -> None:
    invoice = Invoice.objects.get(pk=stage.invoice.pk)
    note = credited(invoice)

    files = unzipped(operator)

    of_invoice = f"2026-04/INV-000001 {str(invoice.pk)[-6:]}"
    of_note = f"2026-05/CN-000001 {str(note.pk)[-6:]}"
    assert list(files) == [
        f"{name}.{ending}" for name in (of_invoice, of_note) for ending in ("json", "html")
    ]
    shown = operator.get(f"/invoices/{invoice.pk}").body
    assert json.loads(files[f"{of_invoice}.json"]) == shown
    page = files[f"{of_invoice}.html"].decode()
    for text in (
        "Invoice INV-000001",
        "Alice Liddell",
        "Set-up",
        f"${shown['total']}",
        "1 April 2026",
    ):
        assert text in page
    told = json.loads(files[f"{of_note}.json"])
    assert (told["invoice_number"], told["total"], told["reason"]) == (
        "INV-000001",
        shown["total"],
        "return",
    )
    assert "Credit note CN/000001" in files[f"{of_note}.html"].decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?to=2026-05-01T00:00:00Z", 2),
        ("?from=2026-05-01T00:00:00Z", 2),
        ("?status=pending", 4),
        ("?status=paid", 0),
        ("?from=2027-05-01T00:00:00Z", 0),
    ],
)
def test_which_documents(stage: Stage, operator: Caller, query: str, count: int) -> None:
    credited(Invoice.objects.get(pk=stage.invoice.pk))

    assert len(unzipped(operator, query)) == count


def test_documents_of_one_customer(stage: Stage, operator: Caller) -> None:
    assert len(unzipped(operator, f"?customer={stage.alice.pk}")) == 2
    assert unzipped(operator, f"?customer={stage.bob.pk}") == {}


def test_what_is_shown_is_escaped(stage: Stage, operator: Caller) -> None:
    stage.alice.details.name = "<script>alert(1)</script>"
    stage.alice.details.save()
    items = [Item("<b>bold</b>", Decimal(1), Decimal(5))]
    draft = invoices.draft(stage.alice.pk, currency="USD", items=items, by="test", now=APRIL)
    with transaction.atomic():
        invoices.finalize([draft], now=APRIL)

    pages = [text.decode() for name, text in unzipped(operator).items() if name.endswith("html")]

    assert not any("<script>" in page or "<b>bold" in page for page in pages)


def test_the_command_writes_documents(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "invoices.zip"

    call_command("export", "invoices", "--customer", "alice", "--output", str(path))

    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 2


def test_whoever_hangs_up_leaves_no_transaction(stage: Stage) -> None:
    pieces = documents.archive(Documents())
    next(pieces)
    assert connection.in_atomic_block

    pieces.close()  # type: ignore[attr-defined]  # it is a generator

    assert not connection.in_atomic_block
