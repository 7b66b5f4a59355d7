"""Links into the pages: made for a product, opened once, and visits until they are over.

A link is the id of its row, signed. It names nobody, and who only knows the id cannot make it. How
long it is good stands in the row, so that time is an argument here as everywhere.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from billing.core.errors import ConflictError, InvalidError, NotFoundError
from billing.core.lifecycle import COLLECTIBLE
from billing.models import Invoice, PortalSession
from billing.models.portal import PortalPurpose
from billing.queries import balances
from billing.services import return_urls
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer

OPENABLE: Final = timedelta(minutes=10)
LASTS: Final = timedelta(hours=1)


def open_session(
    customer: Customer,
    *,
    purpose: PortalPurpose,
    return_url: str,
    by: str,
    now: datetime,
    invoice: Invoice | None = None,
) -> tuple[PortalSession, str]:
    """Make a link by which a customer's person gets to the pages; the visit, and the link.

    The link is a credential: it goes to that person's browser, and into no log.

    :param return_url: where they go when they are done.
    :param invoice: the one it is about, where that is the purpose.
    :raises InvalidError: if the address is not allowed (`return_url_not_allowed`), or purpose and
        invoice contradict each other.
    :raises NotFoundError: if the invoice is not the customer's.
    :raises ConflictError: if the customer was erased, or the invoice is a draft.
    """
    return_urls.require(return_url=return_url)
    if (invoice is not None) != (purpose == PortalPurpose.INVOICE):
        raise InvalidError(
            "An invoice belongs to the purpose `invoice`, and only there.",
            code="invalid_purpose",
            errors={"invoice": ["It belongs to the purpose `invoice`, and only there."]},
        )
    if invoice is not None:
        _require_readable(invoice, customer)
    visit = _visit(customer, purpose, by=by, now=now)
    visit.invoice, visit.return_url = invoice, return_url
    return _saved(visit)


def open_checkout(
    invoice: Invoice, *, urls: ReturnUrls, by: str, now: datetime
) -> tuple[PortalSession, str]:
    """Make a link to pay one invoice, after which the browser is sent to `urls.success`.

    `{session}` in a URL is replaced by the visit's id.

    :raises InvalidError: if an address is not allowed.
    :raises ConflictError: if the customer was erased, the invoice is a draft, or nothing is to be
        paid on it (`nothing_to_charge`).
    """
    return_urls.require(success_url=urls.success, cancel_url=urls.cancel)
    _require_readable(invoice, invoice.customer)
    if invoice.status not in COLLECTIBLE or not balances.due_on([invoice])[invoice.pk]:
        raise ConflictError("There is nothing to pay on this invoice.", code="nothing_to_charge")
    visit = _visit(invoice.customer, PortalPurpose.INVOICE, by=by, now=now)
    visit.invoice = invoice
    visit.return_url = urls.cancel.replace("{session}", str(visit.pk))
    visit.success_url = urls.success.replace("{session}", str(visit.pk))
    return _saved(visit)


def find(signed: str) -> PortalSession:
    """The visit that a link is for, in whatever state it is.

    :raises NotFoundError: if the link was tampered with, or the visit is forgotten.
    """
    try:
        session_id = UUID(hex=_signer().unsign(signed))
    except (BadSignature, ValueError):
        raise NotFoundError("There is no such link.", code="not_found") from None
    visit = PortalSession.objects.readable().filter(pk=session_id).first()
    if visit is None:
        raise NotFoundError("There is no such link any more.", code="not_found")
    return visit


def enter(visit: PortalSession, *, leaving: PortalSession | None, now: datetime) -> str:
    """Open the link, which nobody can do again; the key by which the browser is known from now on.

    Of two who open it at once, one gets in.

    :param leaving: the visit that this browser was on before, which ends.
    :raises ConflictError: if it was opened before (`link_used`), or has ended or expired.
    """
    key = secrets.token_urlsafe(32)
    mine = PortalSession.objects.unopened(now).filter(pk=visit.pk)
    if not mine.update(opened_at=now, expires_at=now + LASTS, browser_digest=_digest(key)):
        visit.refresh_from_db(fields=["opened_at", "ended_at"])
        code = "link_expired" if visit.opened_at is None else "link_used"
        raise ConflictError("This link cannot be opened any more.", code=code)
    if leaving is not None:
        end(leaving, now=now)
    return key


def of_browser(key: str, *, now: datetime) -> PortalSession | None:
    """The visit that is under way in the browser with this key."""
    return (
        PortalSession.objects.readable().under_way(now).filter(browser_digest=_digest(key)).first()
    )


def past_of_browser(key: str) -> PortalSession | None:
    """The visit of the browser with this key, over or not."""
    return PortalSession.objects.readable().filter(browser_digest=_digest(key)).first()


def end(visit: PortalSession, *, now: datetime) -> None:
    """End a visit; again is the same as once."""
    PortalSession.objects.filter(pk=visit.pk, ended_at=None).update(ended_at=now)


def prune(*, now: datetime) -> int:
    """Forget visits that are over for as long as notifications are kept; how many."""
    before = now - timedelta(days=settings.NOTIFICATION_DAYS)
    deleted, _ = PortalSession.objects.filter(expires_at__lt=before).delete()
    return deleted


def _visit(customer: Customer, purpose: PortalPurpose, *, by: str, now: datetime) -> PortalSession:
    if Customer.objects.filter(pk=customer.pk, erased_at__isnull=False).exists():
        raise ConflictError("This customer was erased.", code="customer_erased")
    return PortalSession(
        customer=customer, purpose=purpose, created_by=by, created_at=now, expires_at=now + OPENABLE
    )


def _saved(visit: PortalSession) -> tuple[PortalSession, str]:
    visit.save(force_insert=True)
    path = reverse("portal_enter", kwargs={"signed": _signer().sign(visit.pk.hex)})
    return visit, f"{settings.PUBLIC_URL}{path}"


def _require_readable(invoice: Invoice, customer: Customer) -> None:
    if invoice.customer_id != customer.pk:
        raise NotFoundError(f"There is no invoice {invoice.pk}.", code="not_found")
    if invoice.number is None:
        raise ConflictError("A draft is not shown to its customer.", code="not_finalized")


def _signer() -> Signer:
    return Signer(salt="billing.portal")


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
