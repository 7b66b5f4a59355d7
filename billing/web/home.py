"""The billing home, and the choice between several customers."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing import clock
from billing.core.lifecycle import SubscriptionStatus
from billing.queries import overview
from billing.web import arrears, members, meters, sandbox, words
from billing.web.members import Member
from billing.web.pages import command, page, see


@page
def home(request: HttpRequest, member: Member) -> HttpResponse:
    """Plan, access, next charge, usage, card and latest invoices."""
    found = overview.of(member.customer, now=clock.now())
    subscription = found.rights.subscription
    if subscription is None:
        return see("plans")
    return render(
        request,
        "billing/home.html",
        {
            "member": member,
            "overview": found,
            "subscription": subscription,
            "terms": subscription.plan_terms,
            "standing": words.standing(found),
            "arrears": [arrears.shown(row) for row in found.arrears],
            "access": words.access(found.rights.access.reason),
            "sums": meters.sums(found),
            "expiry": words.expiry(found.method) if found.method else "",
            "meters": meters.in_use(found),
            "invoices": [(invoice, words.invoice(invoice)) for invoice in found.recent],
            "is_waiting": subscription.status == SubscriptionStatus.INCOMPLETE,
            "sandbox": sandbox.panel(found) if settings.TEST_CLOCKS else None,
            "pending": found.is_charging,
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
