"""What customers were told by mail beside dunning."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet

from billing.admin import cells, columns
from billing.admin.base import BooksAdmin
from billing.admin.tables import Table, beginning
from billing.models import CustomerNotice


@admin.register(CustomerNotice)
class CustomerNoticeAdmin(BooksAdmin):
    """Payments that wait for their payer, and payment methods that expire: each told once."""

    list_display = (
        columns.instant("created_at", "given"),
        columns.link("customer"),
        "kind",
        "subject",
        columns.instant("mailed_at"),
    )
    list_select_related = ("customer",)
    list_filter = ("kind", ("mailed_at", admin.EmptyFieldListFilter))
    search_fields = ("customer__organization_id", "=about")
    search_help_text = "A part of the organization, or what it is about, whole"
    ordering = ("-pk",)
    readonly_fields = (*list_display[:3], list_display[4], columns.code("about"), "subject", "text")
    fields = (readonly_fields[:4], *readonly_fields[4:])


def table(rows: QuerySet[CustomerNotice], **query: object) -> Table:
    """What was said, newest first."""
    found, more = beginning(rows.order_by("-created_at", "-pk"), **query)
    return Table(
        CustomerNotice,
        "Notices beside dunning",
        ["Given", "Mailed", "Subject", "Text"],
        [
            [
                cells.link(row, cells.instant(row.created_at)),
                cells.instant(row.mailed_at),
                row.subject,
                row.text,
            ]
            for row in found
        ],
        more,
    )
