"""What was sent to whom, every try of it, and sending it again."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from billing import tasks
from billing.admin import cells, change_words, columns
from billing.admin.base import BooksAdmin
from billing.admin.tables import Table, beginning
from billing.admin.theme import dialog_action
from billing.models import Delivery, DeliveryTry
from billing.services import deliveries


def _customer(delivery: Delivery) -> object:
    return cells.link(delivery.event.customer)


_TYPE = columns.computed("Type", lambda delivery: delivery.event.type)
_CUSTOMER = columns.computed("Customer", _customer)


@admin.register(Delivery)
class DeliveryAdmin(BooksAdmin):
    """Events on their way to endpoints."""

    list_display = (
        columns.instant("created_at", "when"),
        _TYPE,
        columns.link("endpoint"),
        _CUSTOMER,
        columns.status(),
        "tries",
        columns.instant("due_at", "next try"),
    )
    list_select_related = ("event__customer", "endpoint")
    list_filter = ("status", "endpoint")
    search_fields = ("=event__id", "=object_id")
    search_help_text = "The key of the event, or of what it is about, whole"
    ordering = ("-pk",)
    actions_detail = ("resend",)
    readonly_fields = (
        columns.instant("created_at", "written"),
        _TYPE,
        columns.link("endpoint"),
        _CUSTOMER,
        columns.status(),
        columns.instant("due_at", "next try"),
        columns.instant("settled_at", "settled"),
        columns.computed("Event", lambda delivery: cells.code(str(delivery.event_id))),
        columns.computed("Body", lambda delivery: cells.document(json.loads(delivery.event.body))),
    )
    fields = (readonly_fields[:4], readonly_fields[4:8], readonly_fields[8])

    def tables(self, obj: Delivery) -> list[Table]:
        """Every try."""
        rows = [
            [
                cells.instant(one.sent_at),
                _outcome(one),
                one.status_code or cells.NOTHING,
                one.took_ms,
                one.answer or cells.NOTHING,
            ]
            for one in obj.requests.order_by("-pk")
        ]
        headers = ["When", "Outcome", "Status", "#Milliseconds", "Answer"]
        return [Table(Delivery, "Tries", headers, rows)]

    @dialog_action(
        "Resend", "The same is sent once more, now and with all its retries.", icon="replay"
    )
    def resend(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Send it again."""

        def command(delivery: Delivery) -> str:
            deliveries.resend(delivery.pk)
            tasks.deliver_soon()
            return "It is on its way again."

        return self.act(request, object_id, command)


def latest(rows: QuerySet[Delivery], **query: Any) -> Table:
    """The latest deliveries, and what came of them."""
    found, more = beginning(rows.select_related("event__customer").order_by("-pk"), **query)
    return Table(
        Delivery,
        "Latest deliveries",
        ["When", "Type", "Customer", "Status", "#Tries"],
        [
            [
                cells.link(row, cells.instant(row.created_at)),
                row.event.type,
                _customer(row),
                cells.status(row.status),
                row.tries,
            ]
            for row in found
        ],
        more,
    )


def _outcome(one: DeliveryTry) -> object:
    return change_words.fault(one.get_failure_display()) if one.failure else "taken"
