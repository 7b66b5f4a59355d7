"""What a customer's pages look like: the brand of the seller who writes for them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q, QuerySet

from billing.models import BillingProfile, Seller


@dataclass(frozen=True, slots=True)
class Brand:
    """A seller as its customers' pages show it.

    :param colour: `#rrggbb`; empty for ours.
    :param logo: the digest of its picture; empty where there is none.
    """

    seller_id: UUID
    name: str
    colour: str
    logo: str


def of_customer(customer_id: UUID) -> Brand | None:
    """Of whoever writes for them; None where that seller has set nothing of a brand."""
    own = BillingProfile.objects.filter(customer=customer_id).values("seller")
    rows = Seller.objects.filter(Q(pk__in=own) | Q(is_default=True))
    # Their own comes before the default one, as in `sellers.of_customers`, but in one statement.
    return _brand(rows.order_by("is_default"))


def of_seller(seller_id: UUID) -> Brand | None:
    """Of one seller, if there is one and it has set anything."""
    return _brand(Seller.objects.filter(pk=seller_id))


def _brand(sellers: QuerySet[Seller]) -> Brand | None:
    seller = sellers.annotate(digest=F("logo__digest")).first()
    if seller is None or not (seller.brand_name or seller.brand_colour or seller.digest):
        return None
    name = seller.brand_name or seller.name
    return Brand(seller.pk, name, seller.brand_colour, seller.digest or "")
