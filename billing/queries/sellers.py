"""Who writes whose invoices."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billing.models import BillingProfile, Seller


def default() -> Seller | None:
    """The seller who writes for all without another; None before there is one."""
    return Seller.objects.filter(is_default=True).first()


def of_customers(customer_ids: Sequence[UUID]) -> dict[UUID, Seller]:
    """Customer → the seller who writes their invoices; empty before there is any seller."""
    if not customer_ids:
        return {}
    own = {
        row.customer_id: row.seller
        for row in BillingProfile.objects.filter(
            customer__in=customer_ids, seller__isnull=False
        ).select_related("seller")
    }
    usual = default()
    found = {customer_id: own.get(customer_id) or usual for customer_id in customer_ids}
    return {customer_id: seller for customer_id, seller in found.items() if seller is not None}
