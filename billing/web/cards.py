"""Payment methods: entered on the gateway's page, shown here as the gateway describes them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from billing import clock
from billing.models import CheckoutSession, PaymentMethod
from billing.models.payment import CheckoutStatus
from billing.services import payment_methods
from billing.services.payment_methods import ReturnUrls
from billing.web import words
from billing.web.members import Member
from billing.web.pages import SeeOther, command, page, see

_ANY: Final = UUID(int=0)
_LONG: Final = 30


@page
def listed(request: HttpRequest, member: Member) -> HttpResponse:
    """All of a customer's, the default first."""
    rows = PaymentMethod.objects.usable().filter(customer=member.customer)
    methods = [(row, words.expiry(row)) for row in rows.order_by("-is_default", "-added_at")]
    return render(request, "billing/cards.html", {"member": member, "methods": methods})


@command(back="payment_methods")
def add(_request: HttpRequest, member: Member) -> HttpResponse:
    """Off to the gateway's page."""
    session = payment_methods.start_checkout(member.customer, urls=_urls(), now=clock.now())
    if session.status == CheckoutStatus.OPEN and session.url:
        return SeeOther(session.url)
    return see("payment_method_confirming", session_id=session.pk)


@page
def confirming(request: HttpRequest, member: Member, session_id: UUID) -> HttpResponse:
    """Back from the gateway's page: what counts is what the gateway told us, not the return."""
    rows = CheckoutSession.objects.select_related("payment_method")
    session = get_object_or_404(rows, pk=session_id, customer=member.customer)
    tries = _tries(request)
    method = session.payment_method
    return render(
        request,
        "billing/confirming.html",
        {
            "member": member,
            "session": session,
            "method": method,
            "expiry": words.expiry(method) if method else "",
            "is_open": session.status == CheckoutStatus.OPEN,
            "is_done": session.status == CheckoutStatus.COMPLETED,
            "is_slow": tries >= _LONG,
            "next": f"{request.path}?tries={tries + 1}",
        },
    )


@command(back="payment_methods")
def make_default(request: HttpRequest, member: Member, method_id: UUID) -> HttpResponse:
    """Charge this one from now on."""
    _theirs(member, method_id)
    method = payment_methods.make_default(method_id, by=member.by, now=clock.now())
    messages.success(request, f"From now on {method} is charged.")
    return see("payment_methods")


@page
def confirm_removal(request: HttpRequest, member: Member, method_id: UUID) -> HttpResponse:
    """Are they sure?"""
    method = _theirs(member, method_id)
    context = {"member": member, "method": method, "expiry": words.expiry(method)}
    return render(request, "billing/card_removal.html", context)


@command(back="payment_methods")
def remove(request: HttpRequest, member: Member, method_id: UUID) -> HttpResponse:
    """Stop using it."""
    _theirs(member, method_id)
    method = payment_methods.remove(method_id, by=member.by, now=clock.now())
    messages.success(request, f"{method} was removed.")
    return see("payment_methods")


def _theirs(member: Member, method_id: UUID) -> PaymentMethod:
    methods = PaymentMethod.objects.usable().filter(customer=member.customer)
    return get_object_or_404(methods, pk=method_id)


def _urls() -> ReturnUrls:
    back = reverse("payment_method_confirming", kwargs={"session_id": _ANY})
    return ReturnUrls(
        success=f"{settings.PUBLIC_URL}{back.replace(str(_ANY), '{session}')}",
        cancel=f"{settings.PUBLIC_URL}{reverse('payment_methods')}",
    )


def _tries(request: HttpRequest) -> int:
    text = request.GET.get("tries", "")
    return min(int(text), 10_000) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
