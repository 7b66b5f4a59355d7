"""A customer's invoices: the list, and the document with all that can be done about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing import clock, tasks
from billing.core import lifecycle
from billing.core.lifecycle import COLLECTIBLE, OPEN_ATTEMPTS, ActionKind, AttemptStatus
from billing.core.money import Money
from billing.models import Allocation, Dispute, Invoice
from billing.queries import documents, returned
from billing.queries.documents import Document
from billing.web import kinds, methods, transfers, waiting, words
from billing.web.members import Member
from billing.web.pages import page, see, tries

_PER_PAGE = 24
# How often the page looks whether a payer who came back has confirmed, and every which time the
# gateway is asked.
_CONFIRMING: Final = 15
_ASK_EVERY: Final = 10


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
    visit = member.visit
    if visit is not None and visit.success_url and document.invoice.status in lifecycle.ONCE_PAID:
        return see("portal_paid")
    invoice, present = document.invoice, member.customer.lives_at(clock.now())
    given_back = returned.of(invoice, now=present)
    gone = given_back.refunds
    settled = [row for row in document.attempts if row.status != AttemptStatus.CREATED]
    return render(
        request,
        "billing/invoice.html",
        {
            "member": member,
            "document": document,
            "invoice": invoice,
            "badge": words.invoice(invoice),
            "taxes": [_tax(row, invoice.currency) for row in invoice.tax_totals],
            "history": [(row.settled_at or row.created_at, words.attempt(row)) for row in settled],
            "returned": given_back,
            "refunds": [(row.settled_at or row.created_at, words.refund(row)) for row in gone],
            "contested": [(row.opened_at, words.dispute(row)) for row in _disputes(invoice)],
            **_payable(document, member, tries(request)),
        },
    )


def _payable(document: Document, member: Member, times: int) -> dict[str, Any]:
    """What is under way, what waits for the payer, and in which ways they can pay."""
    open_one = next((row for row in document.attempts if row.status in OPEN_ATTEMPTS), None)
    asked = None if open_one is None else waiting.of(open_one)
    moving = None if open_one is None or waiting.waits(open_one) else open_one
    is_back = asked is not None and asked.kind == ActionKind.PAGE and 0 < times <= _CONFIRMING
    is_watched = is_back or (asked is not None and asked.kind == ActionKind.CODE)
    if asked is not None and is_watched and times % _ASK_EVERY == _ASK_EVERY - 1:
        tasks.soon(tasks.ask_charge, attempt_id=str(asked.attempt.pk))
    is_owed = document.invoice.status in COLLECTIBLE and bool(document.due)
    amount = document.due if asked is None else asked.amount
    return {
        "asked": None if is_back else asked,
        "is_back": is_back,
        "progress": words.progress(moving) if moving else None,
        "pending": moving is not None or is_watched,
        "seconds": 1 if moving or is_back else 3,
        "next": f"?tries={times + 1}",
        "transfer": transfers.to_seller(document.invoice, amount)
        if is_owed and not moving
        else None,
        **(_ways(member) if document.is_collectible else {}),
    }


def _ways(member: Member) -> dict[str, Any]:
    """Their payment methods in words, and the kinds that they may add."""
    having = methods.all_of(member)
    return {
        "ways": [(method, kinds.paying(method)) for method in having],
        "kinds": kinds.addable(member.customer, having=having, now=clock.now()),
    }


def _disputes(invoice: Invoice) -> list[Dispute]:
    """What of its payments was contested, oldest first."""
    paid_by = Allocation.objects.filter(invoice=invoice).values("payment")
    return list(Dispute.objects.filter(payment__in=paid_by).order_by("opened_at", "pk"))


def _tax(row: dict[str, Any], currency: str) -> tuple[str, Money, Money]:
    """What the document says of one tax: its name, what it is on, and how much it is."""
    name = words.tax(Decimal(row["percent"]), row["country"])
    return name, Money(row["base_minor"], currency), Money(row["amount_minor"], currency)
