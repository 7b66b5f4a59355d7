"""The billing home, and the choice between several customers."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing import clock
from billing.core.lifecycle import SubscriptionStatus
from billing.queries import overview
from billing.web import arrears, kinds, members, meters, sandbox, waiting, words
from billing.web.members import Member
from billing.web.pages import command, page, see


@page
def home(request: HttpRequest, member: Member) -> HttpResponse:
    """What waits for them, plan, access, next charge, usage, payment method, latest invoices."""
    now = clock.now()
    found = overview.of(member.customer, now=now)
    subscription = found.rights.subscription
    if subscription is None:
        return see("plans")
    is_sandbox = settings.TEST_CLOCKS and "sandbox_advance" in member.pages
    asked, is_charging = waiting.open_of(member.customer)
    return render(
        request,
        "billing/home.html",
        {
            "member": member,
            "overview": found,
            "subscription": subscription,
            "terms": subscription.plan_terms,
            "asked": asked,
            "standing": words.standing(found, is_asked=bool(asked)),
            "arrears": [arrears.shown(row) for row in found.arrears],
            "access": words.access(found.rights.access.reason),
            "sums": meters.sums(found),
            "expiry": words.expiry(found.method) if found.method else "",
            "expiring": words.expiring(found.method, now=found.present) if found.method else None,
            "kinds": [] if found.method else kinds.addable(member.customer, having=(), now=now),
            "meters": meters.in_use(found),
            "invoices": [(invoice, words.invoice(invoice)) for invoice in found.recent],
            "is_waiting": subscription.status == SubscriptionStatus.INCOMPLETE,
            "sandbox": sandbox.panel(found) if is_sandbox else None,
            "pending": is_charging,
        },
    )


@command(back="billing_home")
def switch(request: HttpRequest, member: Member) -> HttpResponse:
    """Act for another of one's customers from here on."""
    chosen = request.POST.get("customer")
    if any(str(customer.pk) == chosen for customer in member.customers):
        request.session[members.SESSION_KEY] = chosen
    else:
        messages.error(request, "There is no such customer among yours.")
    return see("billing_home")
