"""Pages for everybody: what this is, and what it costs."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from billing import clock, tasks
from billing.core.errors import BillingError
from billing.core.lifecycle import LIVE
from billing.models import Subscription
from billing.queries import catalogue
from billing.services import onboarding
from billing.web import members, visits
from billing.web.members import Member
from billing.web.offers import offers
from billing.web.pages import SeeOther, see, turned_away
from customers.models import User
from plans.models import Plan


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """What this is. Who is signed in goes to their billing, who came by a link where it led."""
    visit = visits.current(request)
    if visit is not None:
        return SeeOther(visits.start_of(visit))
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
            "may_begin": live is None and (member is not None or request.user.is_authenticated),
            "offers": offers(on_sale),
            "current": live.plan_version.plan_id if live else None,
            "had_one": member is not None and live is None and _any(member),
        },
    )


@require_POST
def start(request: HttpRequest, plan_id: UUID) -> HttpResponseBase:
    """Start a plan, with its trial if it is the first."""
    member, now = members.of(request), clock.now()
    if member is None and not isinstance(request.user, User):
        return turned_away(request)
    plan = get_object_or_404(Plan.objects.readable(), pk=plan_id)
    try:
        if member is not None:
            started = onboarding.choose(member.customer, plan, by=member.by, now=now)
        else:
            assert isinstance(request.user, User)  # noqa: S101  # others were turned away
            started = onboarding.sign_up(request.user, plan, now=now)
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
