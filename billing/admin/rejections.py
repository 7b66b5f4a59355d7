"""Usage that was not counted: what was rejected, why, and what an operator does about it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Count, Max, Min, QuerySet, Sum
from django.http import HttpRequest, HttpResponse

from billing import clock, tasks
from billing.admin import cells, columns, tables
from billing.admin.base import BooksAdmin, by
from billing.admin.tables import Table
from billing.admin.theme import dialog_action
from billing.models import RejectedUsage
from billing.queries import prepaid
from billing.services import rejections
from billing.services.metering import TOO_OLD
from billing.services.rejections import Retried

_CODES: Final = ("Code", "#Events", "#Times reported", "First", "Last")
OPEN: Final = "open"


class StatusFilter(admin.SimpleListFilter):
    """Rejected events by what became of them."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What can be chosen."""
        return [(OPEN, "Open"), ("COUNTED", "Counted since"), ("DISMISSED", "Dismissed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrowed by the choice."""
        if self.value() is None:
            return queryset
        return queryset.filter(resolution="" if self.value() == OPEN else self.value())


_STATUS = columns.computed("Status", lambda row: cells.status(row.resolution or "OPEN"))


@admin.register(RejectedUsage)
class RejectedUsageAdmin(BooksAdmin):
    """What was rejected, by why."""

    list_display = (
        columns.instant("received_at", "first reported"),
        "code",
        columns.code("customer_name", "customer"),
        columns.code("meter_code", "meter"),
        columns.code("event_id", "event id"),
        "tries",
        _STATUS,
    )
    list_filter = (StatusFilter, "code", "is_retryable", "received_at")
    list_after_template = "admin/billing/tables.html"
    search_fields = ("=event_id", "=customer_name", "=customer__organization_id", "=meter_code")
    search_help_text = "Event id, customer or meter, whole"
    ordering = ("-pk",)
    sortable_by = ()
    actions = ("retry_selected", "dismiss_selected")  # type: ignore[assignment]  # the others have none
    actions_detail = ("retry", "retry_any_age", "dismiss")
    readonly_fields = (
        _STATUS,
        "code",
        "detail",
        columns.link("customer", "known customer"),
        columns.code("customer_name", "customer as named"),
        columns.code("meter_code", "meter"),
        columns.code("event_id", "event id"),
        "index",
        "reported_by",
        columns.instant("received_at", "first reported"),
        columns.instant("last_received_at", "last reported"),
        "tries",
        columns.instant("resolved_at"),
        "resolved_by",
        "is_retryable",
        columns.document("event"),
    )
    fields = (
        readonly_fields[:3],
        readonly_fields[3:6],
        readonly_fields[6:9],
        readonly_fields[9:12],
        readonly_fields[12:15],
        readonly_fields[15],
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With how many there are of each code."""
        context = {
            **(extra_context or {}),
            "title": "Usage that was not counted",
            "tables": tables.visible([_codes()], request.user),
        }
        response: HttpResponse = super().changelist_view(request, context)
        return response

    @dialog_action(
        "Try again",
        "The event is reported once more. Its age is judged by when it was first reported.",
        icon="replay",
    )
    def retry(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Report it once more."""
        return self.act(request, object_id, lambda row: self._again(request, row))

    @dialog_action(
        "Count however old",
        "The event is counted although it was older than 60 days when it was reported. Where its"
        " period was invoiced, the next invoice adjusts it.",
        icon="history",
        is_danger=True,
    )
    def retry_any_age(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Report it once more, whatever its age."""
        return self.act(
            request, object_id, lambda row: self._again(request, row, is_any_age_taken=True)
        )

    @dialog_action(
        "Dismiss",
        "The event is not counted. If it is reported again, it is open again.",
        icon="delete",
    )
    def dismiss(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Let it be."""

        def command(row: RejectedUsage) -> str:
            rejections.dismiss(row.pk, by=by(request), now=clock.now())
            return "The event is dismissed."

        return self.act(request, object_id, command)

    @admin.action(description="Try again", permissions=["act"])
    def retry_selected(self, request: HttpRequest, rows: QuerySet[RejectedUsage]) -> None:
        """Report those once more."""
        chosen = RejectedUsage.objects.filter(pk__in=rows.values("pk"))
        retried = rejections.retry(chosen, by=by(request), now=clock.now())
        _draw_soon(retried)
        parts = [
            f"{retried.accepted} counted",
            f"{retried.duplicates} had been counted already",
            f"{retried.rejected} rejected again",
        ]
        rest = "" if retried.last is None else " There are more: try again once more."
        level = messages.WARNING if retried.rejected or retried.last else messages.SUCCESS
        self.message_user(request, f"{', '.join(parts)}.{rest}", level)

    @admin.action(description="Dismiss", permissions=["act"])
    def dismiss_selected(self, request: HttpRequest, rows: QuerySet[RejectedUsage]) -> None:
        """Let those be."""
        count = rejections.dismiss_all(rows, by=by(request), now=clock.now())
        self.message_user(request, f"{count} dismissed.", messages.SUCCESS)

    def is_offered(self, action: str, obj: RejectedUsage) -> bool:
        """While it is open; what cannot be read cannot be tried again."""
        if obj.resolved_at is not None:
            return False
        if action == "retry_any_age":
            return obj.code == TOO_OLD
        return action == "dismiss" or obj.is_retryable

    def _again(
        self, request: HttpRequest, row: RejectedUsage, *, is_any_age_taken: bool = False
    ) -> str:
        retried = rejections.retry_one(
            row.pk, by=by(request), now=clock.now(), is_any_age_taken=is_any_age_taken
        )
        _draw_soon(retried)
        if retried.rejected:
            row.refresh_from_db()
            return f"It is rejected again: {row.detail}"
        return "It is counted." if retried.accepted else "It had been counted already."


def _draw_soon(retried: Retried) -> None:
    tasks.draw_soon(prepaid.prepaying(retried.customers))


def _codes() -> Table:
    """The open ones by code."""
    counted = (
        RejectedUsage.objects.filter(resolved_at=None)
        .values("code")
        .annotate(
            events=Count("pk"),
            times=Sum("tries"),
            first=Min("received_at"),
            last=Max("last_received_at"),
        )
        .order_by("-events", "code")
    )
    rows = [
        [
            cells.anchor(_only(found["code"]), found["code"]),
            found["events"],
            found["times"],
            cells.instant(found["first"]),
            cells.instant(found["last"]),
        ]
        for found in counted
    ]
    return Table(RejectedUsage, "Open, by code", _CODES, rows)


def _only(code: str) -> str:
    query = urlencode({"status": OPEN, "code__exact": code})
    return f"{cells.list_of(RejectedUsage)}?{query}"
