"""Paying an invoice: charging it now, doing what a payment waits for, or paying another way."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from billing import clock, tasks
from billing.core.errors import ConflictError
from billing.core.lifecycle import AttemptStatus
from billing.models import PaymentAttempt
from billing.queries import documents
from billing.services import payer_actions, payments
from billing.web import methods, words
from billing.web.members import Member
from billing.web.pages import SeeOther, command, page, see


@command(back="invoice", takes=("invoice_id",))
def pay(request: HttpRequest, member: Member, invoice_id: UUID) -> HttpResponse:
    """Charge what is due now, to the default or to the `method` that is asked for."""
    document = documents.find(member.customer, invoice_id)
    method_id = _chosen(request, member)
    if not document.is_collectible:
        raise ConflictError(
            "There is nothing to pay on this invoice now.", code="nothing_to_charge"
        )
    attempt = payments.charge(
        invoice_id, by=member.by, now=clock.now(), payment_method_id=method_id
    )
    if attempt is not None:
        tasks.collect_soon([attempt.pk])
        messages.success(request, words.begun(attempt))
    return see("invoice", invoice_id=invoice_id)


@command(back="invoice", takes=("invoice_id",))
def finish(request: HttpRequest, member: Member, invoice_id: UUID) -> HttpResponse:
    """Off to where the payer confirms the payment, or back with how it went."""
    waiting = _waiting(member, invoice_id)
    if waiting is None:
        raise ConflictError("This payment does not wait for you any more.", code="nothing_to_do")
    back_url = reverse("invoice_back", kwargs={"invoice_id": invoice_id})
    attempt = payer_actions.resume(
        waiting.pk, return_url=f"{settings.PUBLIC_URL}{back_url}", now=clock.now()
    )
    if attempt.status == AttemptStatus.ACTION_REQUIRED and attempt.action.get("url"):
        return SeeOther(attempt.action["url"])
    if attempt.status == AttemptStatus.SUCCEEDED:
        messages.success(request, "Thank you, it is paid.")
    elif attempt.status == AttemptStatus.ACTION_REQUIRED:
        messages.error(request, "The page cannot be opened at the moment. Please try again.")
    else:
        messages.info(request, words.attempt(attempt))
    return see("invoice", invoice_id=invoice_id)


@page
def back(_request: HttpRequest, member: Member, invoice_id: UUID) -> HttpResponse:
    """Back from the gateway's page. What its address says is not believed: the gateway is asked."""
    waiting = _waiting(member, invoice_id)
    invoice = reverse("invoice", kwargs={"invoice_id": invoice_id})
    if waiting is None:
        return SeeOther(invoice)
    tasks.soon(tasks.ask_charge, attempt_id=str(waiting.pk))
    return SeeOther(f"{invoice}?tries=1")


@command(back="invoice", takes=("invoice_id",))
def withdraw(request: HttpRequest, member: Member, invoice_id: UUID) -> HttpResponse:
    """Give up what waits for the payer, so that the invoice can be paid another way."""
    waiting = _waiting(member, invoice_id)
    if waiting is None:
        raise ConflictError("This payment does not wait for you any more.", code="nothing_to_do")
    attempt = payer_actions.withdraw(waiting.pk, now=clock.now())
    if attempt.status == AttemptStatus.SUCCEEDED:
        messages.success(request, "It was paid in the meantime. Thank you.")
    else:
        messages.info(request, "You can pay it another way now.")
    return see("invoice", invoice_id=invoice_id)


def _waiting(member: Member, invoice_id: UUID) -> PaymentAttempt | None:
    """The payment of their invoice that waits for them."""
    document = documents.find(member.customer, invoice_id)
    return next(
        (row for row in document.attempts if row.status == AttemptStatus.ACTION_REQUIRED), None
    )


def _chosen(request: HttpRequest, member: Member) -> UUID | None:
    """The payment method of theirs that the form names; None for the default."""
    named = request.POST.get("method", "")
    if not named:
        return None
    try:
        return methods.theirs(member, UUID(named)).pk
    except ValueError:
        raise Http404("There is no such payment method.") from None
