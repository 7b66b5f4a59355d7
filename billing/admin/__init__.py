"""The operators' window: the books read-only, actions through services."""

from __future__ import annotations

from billing.admin import (
    access,
    clocks,
    customers,
    gateway_events,
    invoices,
    journal,
    mirror,
    payments,
    plans,
    subscriptions,
    usage,
)

__all__ = [
    "access",
    "clocks",
    "customers",
    "gateway_events",
    "invoices",
    "journal",
    "mirror",
    "payments",
    "plans",
    "subscriptions",
    "usage",
]
