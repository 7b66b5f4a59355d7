"""The engine's application."""

from __future__ import annotations

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Sits on plans and customers."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from billing import checks  # noqa: F401
