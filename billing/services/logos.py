"""The picture of a seller's brand."""

from __future__ import annotations

import hashlib
from uuid import UUID

from billing.core import pictures
from billing.models import SellerLogo


def put(seller_id: UUID, content: bytes) -> SellerLogo:
    """Show a picture from now on, instead of the one before.

    :raises InvalidError: if it is too large, or no picture that is shown.
    """
    row, _ = SellerLogo.objects.update_or_create(
        seller_id=seller_id,
        defaults={
            "kind": pictures.kind_of(content),
            "content": content,
            "digest": hashlib.sha256(content).hexdigest(),
        },
    )
    return row


def remove(seller_id: UUID) -> None:
    """Show none; again is the same as once."""
    SellerLogo.objects.filter(seller=seller_id).delete()
