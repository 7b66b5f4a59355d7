"""Giving an invoice back, and contesting it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from billing import clock, tasks
from billing.queries import documents
from billing.services import disputes, refunds
from billing.services.refunds import Ask
from billing.web.members import Member
from billing.web.pages import command, see


@command(back="invoice", takes=("invoice_id",))
def refund(request: HttpRequest, member: Member, invoice_id: UUID) -> HttpResponse:
    """Ask for all of it back, within the week after its payment."""
    documents.find(member.customer, invoice_id)
    ask = Ask(member.by, request.POST.get("reason", ""), is_customer=True)
    found = refunds.of_invoice(invoice_id, None, ask, now=clock.now())
    tasks.refund_soon([row.pk for row in found])
    messages.success(request, "Your money is on its way back.")
    return see("invoice", invoice_id=invoice_id)


@command(back="invoice", takes=("invoice_id",))
def contest(request: HttpRequest, member: Member, invoice_id: UUID) -> HttpResponse:
    """Say that it is not owed; somebody looks at it."""
    documents.find(member.customer, invoice_id)
    reason = request.POST.get("reason", "")
    disputes.contest(invoice_id, by=member.by, reason=reason, now=clock.now())
    messages.success(request, "You contest this invoice. We look at it and write to you.")
    return see("invoice", invoice_id=invoice_id)
