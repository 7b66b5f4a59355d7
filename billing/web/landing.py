"""Pages for everybody: what this is, and what it costs."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from billing import clock, tasks
from billing.core.errors import BillingError
from billing.core.lifecycle import LIVE
from billing.models import Subscription
from billing.queries import catalogue
from billing.services import onboarding
from billing.web import members
from billing.web.members import Member
from billing.web.offers import offers
from billing.web.pages import see
from customers.models import User
from plans.models import Plan


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """What this is. Who is signed in goes on to their billing."""
    if request.user.is_authenticated:
        return see("billing_home")
    return render(request, "billing/landing.html", {"offers": offers(catalogue.on_sale())})


@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """The price list; whoever may still choose, chooses here."""
    member = members.of(request)
    on_sale = catalogue.on_sale(member.customer.organization_id if member else None)
    live = _live(member)
    return render(
        request,
        "billing/plans.html",
        {
            "member": member,
            "offers": offers(on_sale),
            "current": live.plan_version.plan_id if live else None,
            "had_one": member is not None and live is None and _any(member),
        },
    )


@require_POST
@login_required
def start(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Start a plan, with its trial if it is the first."""
    assert isinstance(request.user, User)  # noqa: S101  # login_required
    plan = get_object_or_404(Plan.objects.readable(), pk=plan_id)
    member = members.of(request)
    now = clock.now()
    try:
        if member is None:
            started = onboarding.sign_up(request.user, plan, now=now)
        else:
            started = onboarding.choose(member.customer, plan, by=member.by, now=now)
    except BillingError as error:
        messages.error(request, error.detail)
        return see("plans")
    tasks.collect_open(started.customer_id)
    return see("billing_home")


def _live(member: Member | None) -> Subscription | None:
    if member is None:
        return None
    rows = Subscription.objects.filter(customer=member.customer, status__in=LIVE)
    return rows.select_related("plan_version").first()


def _any(member: Member) -> bool:
    return Subscription.objects.filter(customer=member.customer).exists()
