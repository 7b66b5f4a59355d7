"""The customers' application."""

from __future__ import annotations

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Knows no other application."""

    name = "customers"
    default_auto_field = "django.db.models.BigAutoField"
