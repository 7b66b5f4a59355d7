"""What was used: the events, and the two counts that are kept of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.admin import cells, columns
from billing.admin.base import BooksAdmin
from billing.models import UsageDay, UsageEvent, UsageTotal


class WaitingFilter(admin.SimpleListFilter):
    """Events that no period counts yet."""

    title = "period"
    parameter_name = "period_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What can be chosen."""
        return [("waiting", "Waiting for a period"), ("counted", "Counted in a period")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrowed by the choice."""
        if self.value() is None:
            return queryset
        return queryset.filter(period__isnull=self.value() == "waiting")


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
        columns.computed("Period", lambda row: "counted" if row.period_id else "waiting"),
    )
    list_select_related = ("customer", "meter")
    list_filter = (WaitingFilter, "meter")
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
        columns.instant("recorded_at"),
        columns.document("properties"),
    )
    fields = (readonly_fields[:3], readonly_fields[3:6], readonly_fields[6:8], readonly_fields[8])


@admin.register(UsageTotal)
class UsageTotalAdmin(BooksAdmin):
    """What a meter counted in a period: what is rated."""

    list_display = (
        _OWNER,
        columns.link("period"),
        _METER,
        _QUANTITY,
        columns.quantity("late_quantity", "late, not billed"),
        "is_closed",
    )
    list_select_related = ("period__customer", "meter")
    list_filter = ("meter", "is_closed")
    search_fields = ("=period__customer__organization_id",)
    search_help_text = "Organization, whole"
    ordering = ("-pk",)
    sortable_by = ()
    readonly_fields = (
        _OWNER,
        columns.link("period"),
        _METER,
        _QUANTITY,
        columns.quantity("late_quantity", "late, not billed"),
        "is_closed",
    )
    fields = (readonly_fields[:3], readonly_fields[3:])


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
