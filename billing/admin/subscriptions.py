"""Subscriptions: what each is, what is still to come of it, and what is done to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from billing import clock
from billing.admin import agenda, cells, change_page, columns, related, wording
from billing.admin.base import BooksAdmin, by
from billing.admin.change_entries import (
    BillingDayForm,
    CancelForm,
    CouponForm,
    PauseForm,
    PlanForm,
    ResumeForm,
    TrialEndForm,
)
from billing.admin.change_forms import StepForm
from billing.admin.tables import Table
from billing.admin.theme import dialog_action, page_action
from billing.core.lifecycle import LIVE, RUNNING, SubscriptionStatus
from billing.models import BillingPeriod, Invoice, Subscription
from billing.services import cycle

_CUSTOMER = columns.link("customer")
_OFFERED: Final[Mapping[str, Callable[[Subscription], bool]]] = {
    "change_plan": lambda row: row.status in LIVE,
    "redeem_coupon": lambda row: row.status in LIVE,
    "move_billing_day": lambda row: row.status in RUNNING,
    "move_trial_end": lambda row: row.status == SubscriptionStatus.TRIALING,
    "pause": lambda row: row.status in RUNNING,
    "resume": lambda row: row.status == SubscriptionStatus.PAUSED,
    "cancel": lambda row: row.status in LIVE,
    "go_on": lambda row: bool(row.stalled_reason),
}


@admin.register(Subscription)
class SubscriptionAdmin(BooksAdmin):
    """Who is on which plan, and on which terms."""

    list_display = (
        columns.computed("Plan", lambda row: row.plan_name),
        _CUSTOMER,
        columns.status(),
        "quantity",
        columns.instant("created_at", "since"),
        columns.instant("due_at", "next due"),
        columns.instant("cancel_at", "ends"),
    )
    list_select_related = ("customer",)
    list_filter = (
        "status",
        "billed_by",
        ("cancel_at", admin.EmptyFieldListFilter),
        ("stalled_reason", admin.EmptyFieldListFilter),
    )
    actions_detail = tuple(_OFFERED)
    search_fields = ("plan_name", "customer__organization_id", "=sub_id")
    search_help_text = "Plan, organization, payment provider's id"
    ordering = ("-pk",)
    readonly_fields = (
        _CUSTOMER,
        columns.computed(
            "Plan",
            lambda row: cells.link(
                row.plan_version.plan, f"{row.plan_name}, version {row.plan_version.number}"
            ),
        ),
        columns.status(),
        "quantity",
        columns.computed("Terms", lambda row: wording.paragraph(row.plan_terms)),
        columns.instant("starts_at", "starts"),
        columns.instant("trial_start", "trial from"),
        columns.instant("trial_end", "trial ends"),
        columns.instant("billing_anchor", "billed from"),
        columns.instant("due_at", "next due"),
        columns.instant("past_due_at", "past due since"),
        columns.instant("cancel_at", "ends"),
        columns.instant("canceled_at", "ended"),
        "stalled_reason",
        "billed_by",
        columns.code("sub_id", "payment provider's id"),
        columns.instant("created_at"),
        "created_by",
    )
    fields = (
        readonly_fields[:4],
        readonly_fields[4],
        readonly_fields[5:9],
        readonly_fields[9:13],
        readonly_fields[13:15],
        readonly_fields[15:],
    )

    @page_action("Plan…", icon="swap_horiz")
    def change_plan(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Another plan or quantity."""
        return self._ask(request, object_id, PlanForm)

    @page_action("Coupon…", icon="redeem")
    def redeem_coupon(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A discount from now on."""
        return self._ask(request, object_id, CouponForm)

    @page_action("Billing day…", icon="event_repeat")
    def move_billing_day(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Count periods from another day."""
        return self._ask(request, object_id, BillingDayForm)

    @page_action("Trial…", icon="hourglass_bottom")
    def move_trial_end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End the trial early, or extend it."""
        return self._ask(request, object_id, TrialEndForm)

    @page_action("Pause…", icon="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it rest."""
        return self._ask(request, object_id, PauseForm)

    @page_action("Resume…", icon="resume")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End a pause."""
        return self._ask(request, object_id, ResumeForm)

    @page_action("Cancel…", icon="cancel", is_danger=True)
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it."""
        return self._ask(request, object_id, CancelForm)

    @dialog_action(
        "Let it go on",
        "The next billing run tries it again. Mend what the reason names before.",
        icon="play_arrow",
    )
    def go_on(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Let the cycle take it up that set it aside."""

        def command(subscription: Subscription) -> str:
            cycle.resume(subscription.pk, by=by(request), now=clock.now())
            return "The next billing run takes it up."

        return self.act(request, object_id, command)

    def is_offered(self, action: str, obj: Subscription) -> bool:
        """What its status allows, also by the time a change is due; the service knows better."""
        return _OFFERED[action](obj)

    def _ask(self, request: HttpRequest, object_id: str, form: type[StepForm]) -> HttpResponse:
        """A form over it, with the preview of what is entered."""
        now = clock.now()
        found = self.get_object(request, object_id)
        if found is None:
            self.message_user(request, "It is not there any more.", messages.ERROR)
            return HttpResponseRedirect(cells.list_of(Subscription))
        row = Subscription.objects.readable().get(pk=found.pk)
        present = row.customer.lives_at(now)
        return change_page.answer(
            self, request, row, form(request.POST or None, subscription=row, present=present)
        )

    def tables(self, obj: Subscription) -> list[Table]:
        """What is still to come, what waits for the next invoice, its periods and invoices."""
        own = {"subscription": obj.pk}
        return [
            *agenda.failed(obj),
            agenda.timeline(obj),
            agenda.waiting(obj),
            agenda.redemptions(obj),
            related.periods(BillingPeriod.objects.filter(**own), **own),
            related.invoices(Invoice.objects.filter(**own), **own),
            agenda.settled(obj),
        ]
