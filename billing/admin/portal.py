"""Visits by link: who was let in, to what, and until when. The link itself is nobody's to see."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import columns
from billing.admin.base import BooksAdmin
from billing.admin.theme import dialog_action
from billing.models import PortalSession
from billing.services import portal


@admin.register(PortalSession)
class PortalSessionAdmin(BooksAdmin):
    """What a product had opened for its users."""

    actions_detail = ("end",)
    list_display = (
        columns.instant("created_at", "made"),
        columns.link("customer"),
        columns.status("purpose"),
        columns.link("invoice"),
        columns.instant("opened_at", "opened"),
        columns.instant("expires_at", "expires"),
        columns.instant("ended_at", "ended"),
    )
    list_select_related = ("customer", "invoice")
    list_filter = ("purpose",)
    search_fields = ("=customer__organization_id", "=invoice__number")
    search_help_text = "Organization or invoice number, whole"
    ordering = ("-pk",)
    readonly_fields = (*list_display, "return_url", "success_url", "created_by")
    fields = (readonly_fields[:4], readonly_fields[4:7], readonly_fields[7:])

    def is_offered(self, action: str, obj: Any) -> bool:
        """While it is worth anything."""
        return obj.ended_at is None and obj.expires_at > clock.now()

    @dialog_action(
        "End the visit",
        "Its link does not open any more, and whoever is there is shown out.",
        icon="logout",
        is_danger=True,
    )
    def end(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Show them out."""

        def command(visit: PortalSession) -> str:
            portal.end(visit, now=clock.now())
            return "The visit is over."

        return self.act(request, object_id, command)
