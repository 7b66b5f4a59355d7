"""Time travel for a sandbox: the customer's own clock, moved by the production code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse

from billing import clock
from billing.models.subscription import PeriodKind
from billing.queries.overview import Overview
from billing.services import test_clocks
from billing.templatetags.dates import moment
from billing.web.forms import AdvanceForm
from billing.web.members import Member
from billing.web.pages import command, see


@dataclass(frozen=True, slots=True)
class Panel:
    """What is offered: instants to go to, and a form for any other."""

    present: datetime
    has_clock: bool
    jumps: Sequence[tuple[str, str]]
    form: AdvanceForm


def panel(overview: Overview) -> Panel:
    """The panel as it is now."""
    present, period = overview.present, overview.rights.period
    jumps = [("One day", present + timedelta(days=1))]
    if period is not None:
        is_trial = period.kind == PeriodKind.TRIAL
        words = "To the end of the trial" if is_trial else "To the end of the period"
        jumps.append((words, period.ends_at))
    if overview.overdue and (retry := overview.overdue[0].next_charge_at) is not None:
        jumps.append(("To the next try to charge", retry))
    customer = overview.rights.subscription.customer if overview.rights.subscription else None
    return Panel(
        present=present,
        has_clock=customer is not None and customer.test_clock is not None,
        jumps=[(words, instant.isoformat()) for words, instant in jumps],
        form=AdvanceForm(present=present),
    )


@command(back="billing_home")
def advance(request: HttpRequest, member: Member) -> HttpResponse:
    """Let a customer's time pass. Only where test clocks are allowed."""
    if not settings.TEST_CLOCKS:
        raise Http404
    now = clock.now()
    form = AdvanceForm(request.POST, present=member.customer.lives_at(now))
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["to"])))
        return see("billing_home")
    own = test_clocks.give(member.customer.pk, now=now)
    moved = test_clocks.advance(own.pk, to=form.cleaned_data["to"])
    messages.success(request, f"Sandbox time: it is now {moment(moved.now)}.")
    return see("billing_home")
