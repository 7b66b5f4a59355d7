"""Billing periods, as the engine wrote them."""

from __future__ import annotations

from django.contrib import admin

from billing.admin import cells, columns
from billing.admin.base import BooksAdmin
from billing.admin.tables import Table, beginning
from billing.models import BillingPeriod, UsageTotal

_CUSTOMER = columns.link("customer")


@admin.register(BillingPeriod)
class BillingPeriodAdmin(BooksAdmin):
    """What is billed at once, and what was used in it."""

    list_display = (
        columns.instant("starts_at", "from"),
        columns.instant("ends_at", "to"),
        "kind",
        columns.computed("Plan", lambda row: row.subscription.plan_name),
        _CUSTOMER,
        columns.instant("closed_at"),
    )
    list_select_related = ("customer", "subscription")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    search_fields = ("customer__organization_id",)
    search_help_text = "Organization"
    ordering = ("-pk",)
    readonly_fields = (
        _CUSTOMER,
        columns.computed(
            "Plan", lambda row: cells.link(row.subscription, row.subscription.plan_name)
        ),
        "kind",
        columns.instant("starts_at", "from"),
        columns.instant("ends_at", "to"),
        columns.instant("closed_at"),
        columns.computed("Share of the whole price", lambda row: str(row.share)),
        columns.computed("Meters", lambda row: ", ".join(row.meters) or cells.NOTHING),
        columns.instant("counts_until", "counts usage until"),
        columns.instant("charged_until", "recurring charge settled until"),
    )
    fields = (readonly_fields[:3], readonly_fields[3:6], readonly_fields[6:])

    def tables(self, obj: BillingPeriod) -> list[Table]:
        """What each meter counted."""
        rows, more = beginning(
            UsageTotal.objects.filter(period=obj).select_related("meter").order_by("meter__code"),
            period=obj.pk,
        )
        headers = ["Component", "#Counted", "#Billed", "State"]
        cells_of = [
            [
                cells.link(row, row.component),
                cells.quantity(row.quantity),
                cells.quantity(row.billed_quantity),
                "open" if row.billed_quantity is None else "closed",
            ]
            for row in rows
        ]
        return [Table(UsageTotal, "Usage", headers, cells_of, more)]
