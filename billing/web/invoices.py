"""A customer's invoices: the list, the document, and paying one now."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing import clock, tasks
from billing.core.errors import ConflictError
from billing.core.lifecycle import AttemptStatus
from billing.core.money import Money
from billing.queries import documents, returned
from billing.services import payments
from billing.web import words
from billing.web.members import Member
from billing.web.pages import command, page, see

_PER_PAGE = 24


@page
def listed(request: HttpRequest, member: Member) -> HttpResponse:
    """Newest first, by the page."""
    pages = Paginator(documents.listed(member.customer), _PER_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    return render(
        request,
        "billing/invoices.html",
        {
            "member": member,
            "page": shown,
            "invoices": [(invoice, words.invoice(invoice)) for invoice in shown],
        },
    )


@page
def shown(request: HttpRequest, member: Member, invoice_id: UUID) -> HttpResponse:
    """The document, as it prints, and what became of it."""
    document = documents.find(member.customer, invoice_id)
    given_back = returned.of(document.invoice, now=member.customer.lives_at(clock.now()))
    gone = given_back.refunds
    settled = [row for row in document.attempts if row.status != AttemptStatus.CREATED]
    return render(
        request,
        "billing/invoice.html",
        {
            "member": member,
            "document": document,
            "invoice": document.invoice,
            "badge": words.invoice(document.invoice),
            "taxes": [_tax(row, document.invoice.currency) for row in document.invoice.tax_totals],
            "history": [(row.settled_at or row.created_at, words.attempt(row)) for row in settled],
            "pending": document.is_charging,
            "returned": given_back,
            "refunds": [(row.settled_at or row.created_at, words.refund(row)) for row in gone],
        },
    )


@command(back="invoice", takes=("invoice_id",))
def pay(request: HttpRequest, member: Member, invoice_id: UUID) -> HttpResponse:
    """Charge the default card now instead of at the next try."""
    document = documents.find(member.customer, invoice_id)
    if not document.is_collectible:
        raise ConflictError(
            "There is nothing to pay on this invoice now.", code="nothing_to_charge"
        )
    attempt = payments.charge(invoice_id, by=member.by, now=clock.now())
    if attempt is not None:
        tasks.collect_soon([attempt.pk])
    messages.success(request, "Your card is being charged.")
    return see("invoice", invoice_id=invoice_id)


def _tax(row: dict[str, Any], currency: str) -> tuple[str, Money, Money]:
    """What the document says of one tax: its name, what it is on, and how much it is."""
    name = words.tax(Decimal(row["percent"]), row["country"])
    return name, Money(row["base_minor"], currency), Money(row["amount_minor"], currency)
