"""`/invoices/{id}/pdf`, `/xml`, and those of credit notes: documents as files, one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from billing.api.endpoint import Endpoint
from billing.api.openapi import problems
from billing.api.permissions import find
from billing.documents import files
from billing.documents.files import File
from billing.models import CreditNote, Invoice

_UNFINISHED: Final = "`invoice_not_finalized`: a draft is no document yet."
_UNSTATED: Final = (
    "`not_en16931`: the standard has no place for its currency's third decimal, or asks for what "
    "the seller had not given; the detail says which."
)
_PDF: Final = (
    "PDF/A-3, with the XML inside where there can be one (Factur-X). It says how the document "
    "stands: what was paid of it, and what is still to pay."
)
_XML: Final = "EN 16931 in the syntax CII: the file that the PDF has inside, as `factur-x.xml`."


def answer(request: HttpRequest, file: File) -> HttpResponseBase:
    """The file, to be shown under its name; nothing where the caller has the same already."""
    response = HttpResponse(file.content, content_type=file.media_type)
    name = content_disposition_header(as_attachment=False, filename=file.name)
    response.headers["Content-Disposition"] = str(name)
    response.headers["Cache-Control"] = "private, no-cache"
    etag = quote_etag(hashlib.sha256(file.content).hexdigest())
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


def _operation(
    name: str, summary: str, media_type: str, *said: str, refuses: tuple[int, ...] = (404, 409)
) -> Callable[[Any], Any]:
    """How an operation that answers a file is documented."""
    decorated: Callable[[Any], Any] = extend_schema(
        operation_id=name,
        summary=summary,
        description=" ".join(said),
        responses={
            (200, media_type): OpenApiResponse(OpenApiTypes.BINARY, description="The file."),
            304: OpenApiResponse(description="The caller has it as it is."),
            **problems(*refuses),
        },
    )
    return decorated


class InvoicePdf(Endpoint):
    """An invoice to read."""

    @_operation("getInvoicePdf", "Read an invoice as a PDF", files.PDF, _PDF, _UNFINISHED)
    def get(self, request: Request, invoice_id: UUID) -> HttpResponseBase:
        """Set it."""
        return answer(request, files.pdf(_invoice(request, invoice_id)))


class InvoiceXml(Endpoint):
    """An invoice for machines."""

    @_operation("getInvoiceXml", "Read an invoice as XML", files.XML, _XML, _UNFINISHED, _UNSTATED)
    def get(self, request: Request, invoice_id: UUID) -> HttpResponseBase:
        """Write it."""
        return answer(request, files.xml(_invoice(request, invoice_id)))


class CreditNotePdf(Endpoint):
    """A credit note to read."""

    @_operation("getCreditNotePdf", "Read a credit note as a PDF", files.PDF, _PDF, refuses=(404,))
    def get(self, request: Request, credit_note_id: UUID) -> HttpResponseBase:
        """Set it."""
        return answer(request, files.pdf(_credit_note(request, credit_note_id)))


class CreditNoteXml(Endpoint):
    """A credit note for machines."""

    @_operation("getCreditNoteXml", "Read a credit note as XML", files.XML, _XML, _UNSTATED)
    def get(self, request: Request, credit_note_id: UUID) -> HttpResponseBase:
        """Write it."""
        return answer(request, files.xml(_credit_note(request, credit_note_id)))


def _invoice(request: Request, invoice_id: UUID) -> Invoice:
    return find(request, Invoice.objects.select_related("series"), invoice_id, noun="invoice")


def _credit_note(request: Request, credit_note_id: UUID) -> CreditNote:
    rows = CreditNote.objects.select_related("invoice", "series")
    return find(request, rows, credit_note_id, noun="credit note")
