"""The files themselves, by what they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from billing.documents import cii, facturx, page, reading, typesetting
from billing.documents.values import Document
from billing.models import CreditNote, Invoice

PDF: Final = "application/pdf"
XML: Final = "application/xml"


@dataclass(frozen=True, slots=True)
class File:
    """A file to hand out."""

    name: str
    media_type: str
    content: bytes


def pdf(row: Invoice | CreditNote) -> File:
    """The page to read, with the XML in it where there can be one (Factur-X).

    :raises ConflictError: with code `invoice_not_finalized`, of what has no number.
    """
    document = _read(row)
    shown = page.of(document)
    if cii.missing(document):
        content = typesetting.pdf(shown, at=document.issued_at)
    else:
        xml = cii.render(document)
        content = facturx.declare(typesetting.pdf(shown, at=document.issued_at, xml=xml))
    return File(f"{plain_name(document.number)}.pdf", PDF, content)


def xml(row: Invoice | CreditNote) -> File:
    """The data in it, by EN 16931.

    :raises ConflictError: with code `invoice_not_finalized`, of what has no number; with
        `not_en16931`, if what was frozen does not suffice.
    """
    document = _read(row)
    return File(f"{plain_name(document.number)}.xml", XML, cii.render(document))


def plain_name(number: str) -> str:
    """A document's number as a part of a file's name."""
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in number)


def _read(row: Invoice | CreditNote) -> Document:
    return reading.invoice(row) if isinstance(row, Invoice) else reading.credit_note(row)
