"""Credit that operators give and take back, and that lapses by itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from billing.core import postings
from billing.core.errors import FAULTS, ConflictError, InvalidError
from billing.core.money import Money
from billing.core.postings import Postings
from billing.models import CreditDraw, CreditGrant, Invoice
from billing.models.credit import DrawKind, GrantKind
from billing.models.invoice import InvoicePurpose
from billing.queries import balances
from billing.services import credit, drawing, incoming, journal, locks, prepaid, settling
from billing.services.credit import Gift, Source
from billing.services.drawing import Purpose
from billing.services.incoming import Incoming
from billing.services.journal import Fact
from customers.models import Customer, TestClock

logger = logging.getLogger(__name__)

_AN_INSTANT: Final = timedelta(microseconds=1)


@transaction.atomic
def grant(
    customer_id: UUID,
    amount: Money,
    gift: Gift,
    *,
    now: datetime,
    paid_by: Incoming | None = None,
    settles_open: bool = False,
) -> CreditGrant:
    """Give a customer credit. Prepaid usage that nothing was left for is drawn from it at once.

    It settles the invoices to come, as they are finalized.

    :param paid_by: how the money for it came; of paid credit only.
    :param settles_open: whether it also settles the invoices that are open, the oldest first.
    :raises NotFoundError: if there is no such customer.
    :raises InvalidError: if it makes no sense, or has expired.
    :raises ConflictError: if the payment was recorded before (`duplicate_payment`).
    """
    customer = locks.customer(customer_id)
    present = customer.lives_at(now)
    if not 0 < amount.minor <= incoming.LARGEST_MINOR:
        raise InvalidError("Credit is more than nothing.", code="invalid_amount")
    if gift.expires_at is not None and gift.expires_at <= present:
        sentence = "It would have expired already."
        raise InvalidError(sentence, code="in_the_past", errors={"expires_at": [sentence]})
    if (gift.kind == GrantKind.PAID) != (paid_by is not None):
        raise InvalidError(
            "Paid credit says how it was paid, and a present does not.", code="invalid_kind"
        )
    if paid_by is None:
        given = credit.store(customer.pk, amount, gift, source=Source(), now=present)
        journal.post(_granted(given, by=gift.by))
    else:
        whole = replace(paid_by, invoices=[])
        payment = incoming.record(customer.pk, amount, whole, by=gift.by, now=now, over=gift)
        given = CreditGrant.objects.get(payment=payment)
    if settles_open:
        _settle_open(customer, given, by=gift.by, now=present)
    prepaid.catch_up(customer, now=present, by=gift.by)
    given.refresh_from_db()
    return given


@transaction.atomic
def void(grant_id: UUID, *, by: str, reason: str, now: datetime) -> CreditGrant:
    """Take back what is left of a present; what was used of it by now is drawn first.

    :raises NotFoundError: if there is no such grant.
    :raises ConflictError: if the customer paid for it, or nothing is left.
    """
    found = locks.credit_grant(grant_id)
    present = found.customer.lives_at(now)
    if found.kind == GrantKind.PAID:
        raise ConflictError(
            "It is the customer's money: refund it, or undo its payment.", code="paid_credit"
        )
    prepaid.catch_up(found.customer, now=present, by=by)
    found.refresh_from_db()
    if not found.remaining_minor:
        raise ConflictError("Nothing is left of it.", code="nothing_left")
    taken = found.remaining
    _take_all(found, DrawKind.VOID, by=by, now=present)
    posted = postings.mirrored(postings.credit_granted(taken))
    journal.post(_ended("CREDIT_VOIDED", found, taken, posted, now=present, by=by, reason=reason))
    return found


def expire_due(*, now: datetime, clock: TestClock | None = None, limit: int = 500) -> int:
    """Let credit lapse whose time is over; how many grants that were.

    What was used before is drawn first. Where one customer's credit cannot lapse, that of the
    others does, but a test clock stops there.

    :param clock: whose customers; None for all who live in real time.
    """
    due = CreditGrant.objects.expired(now).filter(customer__test_clock=clock)
    found = list(due.order_by("expires_at", "pk").values_list("pk", "customer")[:limit])
    by_customer: dict[UUID, list[UUID]] = {}
    for pk, customer_id in found:
        by_customer.setdefault(customer_id, []).append(pk)
    count = 0
    for customer_id, grant_ids in by_customer.items():
        try:
            count += _expire_of(customer_id, grant_ids, now=now)
        except FAULTS:
            if clock is not None:
                raise
            logger.exception("Credit of customer %s cannot lapse.", customer_id)
    return count


@transaction.atomic(durable=True)
def _expire_of(customer_id: UUID, grant_ids: Sequence[UUID], *, now: datetime) -> int:
    customer = locks.customer(customer_id)
    return sum(_expire(customer, pk, now=now) for pk in grant_ids)


def _expire(customer: Customer, grant_id: UUID, *, now: datetime) -> int:
    expired = CreditGrant.objects.get(pk=grant_id)
    if expired.expires_at is None or not expired.remaining_minor:
        return 0
    prepaid.catch_up(customer, now=expired.expires_at - _AN_INSTANT)
    expired.refresh_from_db()
    lapsed = expired.remaining
    if not lapsed:
        return 0
    _take_all(expired, DrawKind.EXPIRY, by="", now=now)
    posted = postings.credit_expired(lapsed, is_paid=expired.kind == GrantKind.PAID)
    journal.post(_ended("CREDIT_EXPIRED", expired, lapsed, posted, now=now))
    return 1


def _settle_open(customer: Customer, given: CreditGrant, *, by: str, now: datetime) -> None:
    rows = Invoice.objects.collectible().filter(
        customer=customer, currency=given.currency, purpose=InvoicePurpose.SALE
    )
    invoices = list(rows.order_by("due_at", "issued_at", "sequence", "pk"))
    owed = balances.due_on(invoices)
    facts: list[Fact] = []
    for invoice in invoices:
        due = Money(owed[invoice.pk], invoice.currency)
        facts += credit.apply_from([given], invoice, due, now=now, by=by)
    journal.post(*facts)
    settling.settle(invoices, now=now)


def _take_all(found: CreditGrant, kind: DrawKind, *, by: str, now: datetime) -> list[CreditDraw]:
    draws = drawing.draw([found], found.remaining, Purpose(kind, by=by), now=now)
    drawing.put(draws)
    return draws


def _granted(given: CreditGrant, *, by: str) -> Fact:
    return Fact(
        kind="CREDIT_GRANTED",
        key=f"credit_grant:{given.pk}:granted",
        customer_id=given.customer_id,
        occurred_at=given.effective_at,
        context={
            "grant": str(given.pk),
            "kind": given.kind,
            "amount": str(given.amount),
            "expires_at": given.expires_at.isoformat() if given.expires_at else None,
            "reason": given.reason,
            "by": by,
        },
        postings=postings.credit_granted(given.amount),
        source_kind="credit_grant",
        source_id=given.pk,
    )


def _ended(
    kind: str,
    found: CreditGrant,
    amount: Money,
    posted: Postings,
    *,
    now: datetime,
    **context: str,
) -> Fact:
    """Named after how often the grant was drawn: what comes back to it can end again."""
    return Fact(
        kind=kind,
        key=f"credit_grant:{found.pk}:{kind.lower()}:{found.draws.count()}",
        customer_id=found.customer_id,
        occurred_at=now,
        context={
            "grant": str(found.pk),
            "kind": found.kind,
            "amount": str(amount),
            "of": str(found.amount),
            **context,
        },
        postings=posted,
        source_kind="credit_grant",
        source_id=found.pk,
    )
