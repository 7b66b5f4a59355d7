"""The catalogue's application."""

from __future__ import annotations

from django.apps import AppConfig


class PlansConfig(AppConfig):
    """Knows no other application."""

    name = "plans"
    default_auto_field = "django.db.models.BigAutoField"
