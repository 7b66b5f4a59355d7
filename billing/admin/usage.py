"""What was used: the events, and the two counts that are kept of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, columns
from billing.admin.base import BooksAdmin, by
from billing.admin.theme import dialog_action
from billing.models import UsageDay, UsageEvent, UsageTotal
from billing.services import corrections


class StateFilter(admin.SimpleListFilter):
    """Events by what became of them."""

    title = "period"
    parameter_name = "period_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What can be chosen."""
        return [
            ("waiting", "Waiting for a period"),
            ("counted", "Counted in a period"),
            ("withdrawn", "Withdrawn"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrowed by the choice."""
        if self.value() is None:
            return queryset
        if self.value() == "withdrawn":
            return queryset.exclude(withdrawn_at=None)
        return queryset.filter(withdrawn_at=None, period__isnull=self.value() == "waiting")


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
    return "counted" if event.period_id else "waiting"


def _billed(total: UsageTotal) -> str:
    billed = total.billed_quantity
    return cells.NOTHING if billed is None else cells.quantity(billed)


def _difference(total: UsageTotal) -> str:
    billed = total.billed_quantity
    if billed is None or billed == total.quantity:
        return cells.NOTHING
    return cells.quantity(total.quantity - billed)


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
