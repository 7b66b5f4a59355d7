"""A customer's documents as PDF, to keep."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from billing.api import invoice_files
from billing.core.errors import NotFoundError
from billing.documents import files
from billing.models import CreditNote
from billing.queries import documents
from billing.web.members import Member
from billing.web.pages import page


@page
def invoice(request: HttpRequest, member: Member, invoice_id: UUID) -> HttpResponseBase:
    """One of their invoices."""
    found = documents.listed(member.customer).filter(pk=invoice_id).first()
    if found is None:
        raise NotFoundError("There is no such invoice.", code="not_found")
    return invoice_files.answer(request, files.pdf(found))


@page
def credit_note(request: HttpRequest, member: Member, credit_note_id: UUID) -> HttpResponseBase:
    """One of their credit notes."""
    found = CreditNote.objects.filter(customer=member.customer, pk=credit_note_id).first()
    if found is None:
        raise NotFoundError("There is no such credit note.", code="not_found")
    return invoice_files.answer(request, files.pdf(found))
