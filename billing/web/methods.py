"""Payment methods: set up on the gateway's page, shown here as the gateway describes them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from billing import clock, tasks
from billing.models import CheckoutSession, PaymentMethod
from billing.models.payment import CheckoutStatus
from billing.services import payment_methods
from billing.services.choosing import Wanted
from billing.services.payment_methods import ReturnUrls
from billing.web import kinds, words
from billing.web.members import Member
from billing.web.pages import SeeOther, command, go, page, see, tries

_ANY: Final = UUID(int=0)
_LONG: Final = 30


@page
def listed(request: HttpRequest, member: Member) -> HttpResponse:
    """All of a customer's, the default first, and the kinds that they may add."""
    now = clock.now()
    present = member.customer.lives_at(now)
    rows = all_of(member)
    methods = [(row, words.expiry(row), words.expiring(row, now=present)) for row in rows]
    addable = kinds.addable(member.customer, having=rows, now=now)
    context = {"member": member, "methods": methods, "kinds": addable}
    return render(request, "billing/methods.html", context)


@command(back="payment_methods")
def add(request: HttpRequest, member: Member) -> HttpResponse:
    """Off to the gateway's page, or done at once where there is nothing to enter."""
    settled = payment_methods.start_checkout(
        member.customer,
        urls=_urls(member),
        now=clock.now(),
        wanted=Wanted(kind=request.POST.get("kind", "")),
    )
    tasks.collect_soon(settled.attempts)
    session = settled.session
    if session.status == CheckoutStatus.OPEN and session.url:
        return SeeOther(session.url)
    if session.payment_method is not None:
        messages.success(request, kinds.used(session.payment_method))
        return go(member, "payment_methods")
    return see("payment_method_confirming", session_id=session.pk)


@page
def confirming(request: HttpRequest, member: Member, session_id: UUID) -> HttpResponse:
    """Back from the gateway's page: what counts is what the gateway says, not the return.

    Some gateways say nothing by themselves, so that they are asked at once.
    """
    rows = CheckoutSession.objects.select_related("payment_method")
    session = get_object_or_404(rows, pk=session_id, customer=member.customer)
    times = tries(request)
    is_open = session.status == CheckoutStatus.OPEN
    if is_open and times == 0:
        tasks.soon(tasks.ask_setup, session_id=str(session.pk))
    method = session.payment_method
    if method is not None and member.visit is not None and member.visit.invoice_id is not None:
        messages.success(request, kinds.used(method))
        return SeeOther(member.start)
    return render(
        request,
        "billing/confirming.html",
        {
            "member": member,
            "session": session,
            "kind": kinds.of(method.kind if method else session.kind),
            "method": method,
            "expiry": words.expiry(method) if method else "",
            "used": kinds.used(method) if method else "",
            "is_open": is_open,
            "is_done": session.status == CheckoutStatus.COMPLETED,
            "is_slow": times >= _LONG,
            "next": f"{request.path}?tries={times + 1}",
        },
    )


@command(back="payment_methods")
def make_default(request: HttpRequest, member: Member, method_id: UUID) -> HttpResponse:
    """Use this one from now on."""
    theirs(member, method_id)
    method = payment_methods.make_default(method_id, by=member.by, now=clock.now())
    messages.success(request, kinds.used(method))
    return see("payment_methods")


@page
def confirm_removal(request: HttpRequest, member: Member, method_id: UUID) -> HttpResponse:
    """Are they sure?"""
    method = theirs(member, method_id)
    context = {"member": member, "method": method, "is_pushed": kinds.is_pushed(method)}
    return render(request, "billing/method_removal.html", context)


@command(back="payment_methods")
def remove(request: HttpRequest, member: Member, method_id: UUID) -> HttpResponse:
    """Stop using it."""
    theirs(member, method_id)
    method = payment_methods.remove(method_id, by=member.by, now=clock.now())
    messages.success(request, f"{method} was removed.")
    return see("payment_methods")


def all_of(member: Member) -> list[PaymentMethod]:
    """The customer's, the default first and then the newest."""
    rows = PaymentMethod.objects.usable().filter(customer=member.customer)
    return list(rows.order_by("-is_default", "-added_at"))


def theirs(member: Member, method_id: UUID) -> PaymentMethod:
    """A payment method of the customer's; any other does not exist."""
    methods = PaymentMethod.objects.usable().filter(customer=member.customer)
    return get_object_or_404(methods, pk=method_id)


def _urls(member: Member) -> ReturnUrls:
    back = reverse("payment_method_confirming", kwargs={"session_id": _ANY})
    return ReturnUrls(
        success=f"{settings.PUBLIC_URL}{back.replace(str(_ANY), '{session}')}",
        cancel=f"{settings.PUBLIC_URL}{go(member, 'payment_methods').url}",
    )
