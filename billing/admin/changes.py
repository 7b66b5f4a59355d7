"""Scheduled changes: what is still to come, what became of the rest, and what failed."""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, change_page, change_words, columns
from billing.admin.base import BooksAdmin, by
from billing.admin.change_entries import RetryForm
from billing.admin.theme import dialog_action, page_action
from billing.core.errors import ConflictError
from billing.models import ScheduledChange, Subscription
from billing.models.schedule import ChangeStatus
from billing.services import schedule

_WHAT = columns.computed("What", change_words.title)
_CUSTOMER = columns.computed("Customer", lambda row: cells.link(row.subscription.customer))
_SUBSCRIPTION = columns.computed("Subscription", lambda row: cells.link(row.subscription))
_OFFERED: Final = {
    "withdraw": {ChangeStatus.PENDING, ChangeStatus.FAILED},
    "retry": {ChangeStatus.FAILED},
}


def _reason(row: ScheduledChange) -> object:
    return change_words.fault(row.reason) if row.reason else cells.NOTHING


@admin.register(ScheduledChange)
class ScheduledChangeAdmin(BooksAdmin):
    """Every change of every subscription; a failed one waits for an operator."""

    list_display = (
        columns.instant("due_at", "due"),
        _WHAT,
        columns.status(),
        _CUSTOMER,
        _SUBSCRIPTION,
        "reason",
    )
    list_select_related = ("subscription__customer", "plan_version__plan", "coupon")
    list_filter = ("status", "act", "is_at_period_end")
    search_fields = ("subscription__customer__organization_id", "=coupon__code")
    search_help_text = "Organization, or a coupon's code"
    ordering = ("-pk",)
    actions_detail = ("retry", "withdraw")
    readonly_fields = (
        _WHAT,
        columns.status(),
        columns.computed("Reason", _reason),
        _CUSTOMER,
        _SUBSCRIPTION,
        columns.instant("due_at", "due"),
        columns.computed("At a period's end", lambda row: "yes" if row.is_at_period_end else "no"),
        columns.instant("created_at", "asked for"),
        columns.computed("Asked by", lambda row: row.created_by or cells.NOTHING),
        columns.instant("settled_at"),
        columns.computed("Settled by", lambda row: row.settled_by or cells.NOTHING),
    )
    fields = (readonly_fields[:3], readonly_fields[3:7], readonly_fields[7:])

    def is_offered(self, action: str, obj: ScheduledChange) -> bool:
        """While it is still to come, or has failed."""
        return obj.status in _OFFERED[action]

    @page_action("Try again…", icon="replay")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it take effect now, once it is seen what comes of it."""
        row = self.get_object(request, object_id)
        if row is None or row.status != ChangeStatus.FAILED:
            return self.act(request, object_id, self._refused)
        now = clock.now()
        subscription = Subscription.objects.readable().get(pk=row.subscription_id)
        form = RetryForm(
            request.POST or None,
            subscription=subscription,
            present=subscription.customer.lives_at(now),
            row=row,
        )
        return change_page.answer(self, request, row, form)

    @dialog_action(
        "Withdraw",
        "It will not be made. Ask for it anew if it is wanted after all.",
        icon="undo",
        is_danger=True,
    )
    def withdraw(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Take it off the timeline."""

        def command(row: ScheduledChange) -> str:
            schedule.withdraw(row.subscription_id, row.pk, by=by(request), now=clock.now())
            return "The change is withdrawn."

        return self.act(request, object_id, command)

    @staticmethod
    def _refused(row: ScheduledChange) -> str:
        """Say why it cannot be tried again."""
        raise ConflictError(f"The change is {row.status.lower()}.", code="forbidden_transition")
