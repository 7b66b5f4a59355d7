"""Stripe's objects as dj-stripe mirrors them: an operator's window, read-only, without secrets.

dj-stripe registers pages that edit, sync and show API keys. They are all taken away. What it
mirrors is shown as Stripe sent it: its models' own accessors expect objects of older versions, so
neither they nor `str()` are used.
"""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse

from billing.admin import cells, columns
from billing.admin.base import BooksAdmin

_SECRETIVE: Final = {"apikey", "webhookendpoint", "webhookeventtrigger", "idempotencykey"}
_REDACTED: Final = "(not shown)"


class MirrorAdmin(BooksAdmin):
    """One kind of Stripe's objects."""

    list_display = ("id", columns.instant("created"), "livemode")
    list_display_links = ("id",)
    list_filter = ("livemode",)
    search_fields = ("=id",)
    search_help_text = "Stripe's id, whole"
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the objects themselves, which are large."""
        rows: QuerySet[Any] = self.model.objects.only("pk", "id", "created", "livemode")
        return rows

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> TemplateResponse:
        """The object as Stripe sent it.

        :raises PermissionDenied: to who may not view it, and to every attempt to write.
        """
        if request.method != "GET" or object_id is None or not self.has_view_permission(request):
            raise PermissionDenied
        shown = self._shown(object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{self.opts.verbose_name} {shown['id']}",
            "mirrored": shown,
            "document": cells.document(without_secrets(shown["stripe_data"])),
        }
        return TemplateResponse(request, "admin/billing/mirrored.html", context)

    def _shown(self, object_id: str) -> dict[str, Any]:
        rows = self.model.objects.filter(pk=object_id) if object_id.isdigit() else None
        found = rows and rows.values("id", "created", "livemode", "stripe_data").first()
        if not found:
            raise Http404
        return dict(found)


def without_secrets(value: Any) -> Any:
    """A JSON value whose secrets (`client_secret`, a webhook's `secret`) are blotted out."""
    if isinstance(value, dict):
        return {
            name: _REDACTED if "secret" in name and part else without_secrets(part)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(part) for part in value]
    return value


def is_shown(model: type[Model]) -> bool:
    """Whether a model of dj-stripe's mirrors an object of Stripe's that operators may see."""
    meta = model._meta  # noqa: SLF001  # Django's documented way
    names = {field.name for field in meta.get_fields()}
    return meta.model_name not in _SECRETIVE and {"id", "stripe_data", "created"} <= names


def register() -> None:
    """Put these pages in the place of dj-stripe's own."""
    for model in apps.get_app_config("djstripe").get_models():
        if admin.site.is_registered(model):
            admin.site.unregister(model)
        if is_shown(model):
            admin.site.register(model, MirrorAdmin)


register()
