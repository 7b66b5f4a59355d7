"""What was used: the events, and the two counts that are kept of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, columns, tables, usage_upload
from billing.admin.base import BooksAdmin, by
from billing.admin.tables import Table
from billing.admin.theme import dialog_action, page_action
from billing.models import UsageDay, UsageEvent, UsageTotal
from billing.queries import unmatched
from billing.services import corrections

WAITING: Final = "waiting"
_STATE: Final = "period_state"
_LOOKED_AT: Final = 10_000
_REASONS: Final = ("Why", "Meter", "#Events", "#Customers", "Oldest")


class StateFilter(admin.SimpleListFilter):
    """Events by what became of them."""

    title = "period"
    parameter_name = _STATE

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What can be chosen."""
        return [
            (WAITING, "Waiting for a period"),
            ("counted", "Counted in a period"),
            ("withdrawn", "Withdrawn"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrowed by the choice."""
        if self.value() is None:
            return queryset
        if self.value() == "withdrawn":
            return queryset.exclude(withdrawn_at=None)
        return queryset.filter(withdrawn_at=None, period__isnull=self.value() == WAITING)


class BilledFilter(admin.SimpleListFilter):
    """Totals by whether they are billed, and as they are counted."""

    title = "billing"
    parameter_name = "billed_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What can be chosen."""
        return [
            ("open", "Not billed yet"),
            ("billed", "Billed"),
            ("differs", "To be adjusted by the next invoice"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrowed by the choice."""
        if self.value() is None:
            return queryset
        if self.value() == "differs":
            billed = queryset.filter(billed_quantity__isnull=False)
            return billed.exclude(billed_quantity=F("quantity"))
        return queryset.filter(billed_quantity__isnull=self.value() == "open")


def _state(event: UsageEvent) -> str:
    if event.withdrawn_at is not None:
        return "withdrawn"
    return "counted" if event.period_id else WAITING


def _billed(total: UsageTotal) -> str:
    billed = total.billed_quantity
    return cells.NOTHING if billed is None else cells.quantity(billed)


def _difference(total: UsageTotal) -> str:
    billed = total.billed_quantity
    if billed is None or billed == total.quantity:
        return cells.NOTHING
    return cells.quantity(total.quantity - billed)


def _is_of_waiting(request: HttpRequest) -> bool:
    return request.GET.get(_STATE) == WAITING


def _age(now: datetime) -> Any:
    """A column: for how many days an event has waited to be counted."""
    return columns.computed("Waiting", lambda event: f"{(now - event.recorded_at).days} days")


def _reasons() -> Table:
    """Those that wait longest, by why."""
    rows = [
        [
            row.why,
            row.meter,
            row.events,
            row.customers,
            cells.instant(row.since),
        ]
        for row in unmatched.by_reason(_LOOKED_AT)
    ]
    return Table(UsageEvent, f"Why, of the {_LOOKED_AT:,} that wait longest", _REASONS, rows)


_WHY = columns.computed("Why", lambda event: event.why)
_CUSTOMER = columns.link("customer")
_OWNER = columns.computed("Customer", lambda row: cells.link(row.period.customer))
_METER = columns.computed("Meter", lambda row: row.meter.code)
_QUANTITY = columns.quantity("quantity")


@admin.register(UsageEvent)
class UsageEventAdmin(BooksAdmin):
    """Every event as it was reported."""

    list_display = (
        columns.instant("occurred_at", "used"),
        _CUSTOMER,
        _METER,
        _QUANTITY,
        "event_id",
        columns.computed("Period", _state),
    )
    list_select_related = ("customer", "meter")
    list_filter = (StateFilter, "meter")
    list_after_template = "admin/billing/tables.html"
    actions_list = ("upload",)
    actions_detail = ("withdraw",)
    search_fields = ("=event_id", "=customer__organization_id")
    search_help_text = "Event id or organization, whole"
    ordering = ("-pk",)
    sortable_by = ()
    readonly_fields = (
        _CUSTOMER,
        _METER,
        _QUANTITY,
        columns.instant("occurred_at", "used"),
        "day",
        columns.link("period", "counted in the period"),
        columns.code("event_id", "event id"),
        "revision",
        columns.instant("recorded_at"),
        columns.instant("withdrawn_at"),
        "withdrawn_by",
        columns.document("properties"),
    )
    fields = (
        readonly_fields[:3],
        readonly_fields[3:6],
        readonly_fields[6:9],
        readonly_fields[9:11],
        readonly_fields[11],
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """In the list of those that wait, with why."""
        rows = super().get_queryset(request)
        return unmatched.with_why(rows) if _is_of_waiting(request) else rows

    def get_list_display(self, request: HttpRequest) -> Any:
        """Of those that wait, why and for how long."""
        shown = super().get_list_display(request)
        return (*shown[:-1], _WHY, _age(clock.now())) if _is_of_waiting(request) else shown

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With how many wait for which reason."""
        context = dict(extra_context or {})
        if _is_of_waiting(request):
            context["title"] = "Usage that waits for a period"
            context["tables"] = tables.visible([_reasons()], request.user)
        response: HttpResponse = super().changelist_view(request, context)
        return response

    @page_action("Upload usage", icon="upload_file")
    def upload(self, request: HttpRequest) -> HttpResponse:
        """Count what a file says."""
        return usage_upload.answer(self, request)

    @dialog_action(
        "Withdraw",
        "The event counts no more. Where it was invoiced, the next invoice gives it back.",
        icon="undo",
        is_danger=True,
    )
    def withdraw(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Let it count nowhere."""

        def command(event: UsageEvent) -> str:
            corrections.withdraw(
                str(event.customer_id), event.event_id, by=by(request), now=clock.now()
            )
            return "The event is withdrawn."

        return self.act(request, object_id, command)

    def is_offered(self, action: str, obj: UsageEvent) -> bool:
        """While it counts."""
        return obj.withdrawn_at is None


@admin.register(UsageTotal)
class UsageTotalAdmin(BooksAdmin):
    """What a component of a plan counted in a period: what is rated."""

    list_display = (
        _OWNER,
        columns.link("period"),
        "component",
        columns.quantity("quantity", "counted"),
        columns.computed("Billed", _billed),
        columns.computed("Difference", _difference),
    )
    list_select_related = ("period__customer", "meter")
    list_filter = (BilledFilter, "meter", "aggregation")
    search_fields = ("=period__customer__organization_id",)
    search_help_text = "Organization, whole"
    ordering = ("-pk",)
    sortable_by = ()
    readonly_fields = (
        _OWNER,
        columns.link("period"),
        _METER,
        "component",
        "aggregation",
        columns.instant("latest_at", "latest use"),
        columns.quantity("quantity", "counted"),
        columns.computed("Billed", _billed),
        columns.computed("Difference", _difference),
    )
    fields = (readonly_fields[:3], readonly_fields[3:6], readonly_fields[6:])


@admin.register(UsageDay)
class UsageDayAdmin(BooksAdmin):
    """What a meter counted on a customer's local day: what charts show."""

    list_display = ("day", _CUSTOMER, _METER, _QUANTITY)
    list_select_related = ("customer", "meter")
    list_filter = ("meter",)
    search_fields = ("=customer__organization_id",)
    search_help_text = "Organization, whole"
    ordering = ("-pk",)
    sortable_by = ()
    readonly_fields = ("day", _CUSTOMER, _METER, _QUANTITY)
    fields = (readonly_fields,)
