"""Checkouts of an invoice on our own page, read off the visit and the invoice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.core import lifecycle
from billing.models import PaymentAttempt, PortalSession
from billing.models.payment import CheckoutStatus


@dataclass(frozen=True, slots=True)
class InvoiceCheckout:
    """A visit to pay an invoice, in the words of `CheckoutSession`.

    :param url: the link, which only whoever makes it is told.
    """

    id: UUID
    url: str
    customer_id: UUID
    invoice_id: UUID | None
    status: CheckoutStatus
    failure: str
    created_at: datetime
    expires_at: datetime
    gateway: str = ""
    kind: str = ""
    route_reason: str = ""
    payment_method_id: UUID | None = None


def of_visit(visit: PortalSession, *, now: datetime, url: str = "") -> InvoiceCheckout:
    """A checkout as it stands: it is completed when the invoice is paid, however that was."""
    status = _status(visit, now)
    failure = ""
    if status == CheckoutStatus.FAILED and visit.invoice is not None:
        failure = f"The invoice is {visit.invoice.get_status_display().lower()}."
    return InvoiceCheckout(
        id=visit.pk,
        url=url,
        customer_id=visit.customer_id,
        invoice_id=visit.invoice_id,
        status=status,
        failure=failure,
        created_at=visit.created_at,
        expires_at=visit.expires_at,
    )


def _status(visit: PortalSession, now: datetime) -> CheckoutStatus:
    invoice = visit.invoice
    if invoice is not None and invoice.status in lifecycle.ONCE_PAID:
        return CheckoutStatus.COMPLETED
    if invoice is None or invoice.status not in lifecycle.COLLECTIBLE:
        return CheckoutStatus.FAILED
    is_over = visit.ended_at is not None or visit.expires_at <= now
    is_charging = PaymentAttempt.objects.open().filter(invoice=invoice).exists()
    return CheckoutStatus.EXPIRED if is_over and not is_charging else CheckoutStatus.OPEN
