"""Links into the pages, as a product gets them."""

from __future__ import annotations

import base64

from billing import clock
from billing.models import Invoice
from billing.models.portal import PortalPurpose
from billing.services import portal
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer

# A square of 8 by 8 pixels.
LOGO = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mOokl+EFTEMLQkAu4pOwcKj"
    "lnQAAAAASUVORK5CYII="
)
BACK = "https://app.example.com/settings"


def link(
    customer: Customer, purpose: str = "PORTAL", *, invoice: Invoice | None = None, back: str = BACK
) -> str:
    """A link, as a product gets it, without our host."""
    _, url = portal.open_session(
        customer,
        purpose=PortalPurpose(purpose),
        return_url=back,
        by="test",
        now=clock.now(),
        invoice=invoice,
    )
    return url.removeprefix("http://localhost:8000")


def checkout(invoice: Invoice) -> str:
    """A link to pay an invoice."""
    there = ReturnUrls("https://app.example.com/thanks", "https://app.example.com/orders")
    _, url = portal.open_checkout(invoice, urls=there, by="test", now=clock.now())
    return url.removeprefix("http://localhost:8000")
