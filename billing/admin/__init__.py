"""The operators' window: the books read-only, actions through services."""

from __future__ import annotations

from billing.admin import (
    access,
    changes,
    clocks,
    coupons,
    customers,
    gateway_events,
    invoices,
    journal,
    mirror,
    payments,
    periods,
    plans,
    subscriptions,
    usage,
)

__all__ = [
    "access",
    "changes",
    "clocks",
    "coupons",
    "customers",
    "gateway_events",
    "invoices",
    "journal",
    "mirror",
    "payments",
    "periods",
    "plans",
    "subscriptions",
    "usage",
]
