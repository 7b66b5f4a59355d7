"""Meters and features. Plans, whose commands need the time, are among billing's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from plans.models import Feature, Meter

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _ModelAdmin

    ModelAdmin = _ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin  # ships no types


class CodedAdmin(ModelAdmin):
    """Something that terms name by its code: the code is given once, and nothing is deleted."""

    actions = None
    ordering = ("code",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The code, once it is given."""
        return () if obj is None else ("code",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: plans may name it."""
        return False


@admin.register(Meter)
class MeterAdmin(CodedAdmin):
    """What usage events count."""

    list_display = ("code", "name", "aggregation", "unit")
    search_fields = ("code", "name")
    fields = (("code", "name"), ("aggregation", "unit"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """How it counts as well: totals were made that way."""
        return () if obj is None else ("code", "aggregation")


@admin.register(Feature)
class FeatureAdmin(CodedAdmin):
    """What plans switch on or limit."""

    list_display = ("code", "kind")
    list_filter = ("kind",)
    search_fields = ("code",)
    fields = (("code", "kind"),)
