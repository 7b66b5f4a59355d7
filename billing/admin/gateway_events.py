"""Notifications from gateways, each once."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from billing import tasks
from billing.admin import cells, columns, tables
from billing.admin.base import BooksAdmin
from billing.admin.tables import Table
from billing.admin.theme import dialog_action
from billing.models import GatewayEvent
from billing.services import gateway_events

COUNTED: Final = 10_000
NOTHING_TO_DO: Final = "nothing to do"
NOT_OURS: Final = "not one of ours"
_KINDS: Final = (
    "Gateway",
    "Kind",
    "#Came",
    "#Nothing to do",
    "#Not ours",
    "#Not handled",
    "Newest",
)


class HandledFilter(admin.SimpleListFilter):
    """Which are done."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What can be chosen."""
        return [("waiting", "Waiting"), ("failing", "Tried in vain"), ("handled", "Handled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrowed by the choice."""
        narrowed = {
            "waiting": queryset.filter(handled_at=None),
            "failing": queryset.filter(handled_at=None, tries__gt=0),
            "handled": queryset.exclude(handled_at=None),
        }
        return narrowed.get(self.value() or "", queryset)


_STATUS = columns.computed(
    "Status", lambda event: cells.status("HANDLED" if event.handled_at else "WAITING")
)


@admin.register(GatewayEvent)
class GatewayEventAdmin(BooksAdmin):
    """What gateways told, and what was done about it."""

    list_display = (
        columns.instant("received_at"),
        "gateway",
        "kind",
        columns.code("object_id", "about"),
        _STATUS,
        "outcome",
        "tries",
    )
    list_filter = (HandledFilter, "gateway")
    list_after_template = "admin/billing/tables.html"
    search_fields = ("=event_id", "=object_id", "=kind")
    search_help_text = "Id of the event or of what it is about, or kind, whole"
    ordering = ("-pk",)
    sortable_by = ()
    actions_detail = ("replay",)
    readonly_fields = (
        "gateway",
        "kind",
        _STATUS,
        "object_type",
        columns.code("object_id", "about"),
        columns.code("event_id", "id of the event"),
        columns.instant("occurred_at"),
        columns.instant("received_at"),
        columns.instant("handled_at"),
        "tries",
        "outcome",
    )
    fields = (readonly_fields[:3], readonly_fields[3:6], readonly_fields[6:9], readonly_fields[9:])

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With how many of each kind came."""
        shown = tables.visible([_kinds()], request.user)
        context = {**(extra_context or {}), "tables": shown}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    @dialog_action(
        "Replay",
        "What it is about is fetched anew and followed once more. Twice is the same as once.",
        icon="replay",
    )
    def replay(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Let it be handled once more."""

        def command(event: GatewayEvent) -> str:
            gateway_events.replay(event.pk)
            tasks.soon(tasks.handle_gateway_event, event_id=str(event.pk))
            return "The notification will be handled once more."

        return self.act(request, object_id, command)


def _kinds() -> Table:
    """How many of each kind came lately, and what was done about them; unknown ones too."""
    latest = GatewayEvent.objects.order_by("-pk")[:COUNTED].values("pk")
    counted = (
        GatewayEvent.objects.filter(pk__in=latest)
        .values("gateway", "kind")
        .annotate(
            came=Count("pk"),
            idle=Count("pk", filter=Q(outcome=NOTHING_TO_DO)),
            foreign=Count("pk", filter=Q(outcome=NOT_OURS)),
            waiting=Count("pk", filter=Q(handled_at=None)),
            newest=Max("received_at"),
        )
        .order_by("gateway", "kind")
    )
    rows = [
        [
            found["gateway"],
            cells.anchor(_only(found["gateway"], found["kind"]), found["kind"]),
            found["came"],
            found["idle"],
            found["foreign"],
            found["waiting"],
            cells.instant(found["newest"]),
        ]
        for found in counted
    ]
    title = f"Kinds, of the latest {COUNTED} notifications"
    return Table(GatewayEvent, title, _KINDS, rows)


def _only(gateway: str, kind: str) -> str:
    query = urlencode({"gateway": gateway, "kind__exact": kind})
    return f"{cells.list_of(GatewayEvent)}?{query}"
