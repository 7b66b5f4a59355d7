"""What is contested: by customers with us, by their banks at a gateway; and who wins.

A bank's dispute holds the money back until it is decided, by the gateway's word. A customer's own
moves none: an operator decides it, and giving in sends the money back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import models, transaction

from billing.core import lifecycle, postings
from billing.core.errors import ConflictError
from billing.core.lifecycle import DisputeStatus, InvoiceStatus
from billing.core.money import Money
from billing.core.postings import Postings
from billing.gateways import base
from billing.models import Dispute, Invoice, Payment, Refund
from billing.models.refund import DisputeSource
from billing.queries import refundable
from billing.services import announcing, journal, locks, refunds
from billing.services.journal import Fact
from billing.services.refunds import Ask


@transaction.atomic
def contest(
    invoice_id: UUID, *, by: str, reason: str, now: datetime, expected_version: int | None = None
) -> list[Dispute]:
    """A customer contests what they paid: one dispute for each payment. No money moves.

    :raises NotFoundError: if there is no such invoice.
    :raises ConflictError: if it is not paid, or by nothing that could go back, or what paid it is
        contested already; with code `version_mismatch` if it has changed since it was seen.
    """
    invoice = locks.invoice(invoice_id)
    if expected_version is not None and invoice.version != expected_version:
        raise ConflictError("It was changed by someone else.", code="version_mismatch")
    lifecycle.INVOICE.after(invoice.status, "contest")
    present = invoice.customer.lives_at(now)
    found = [origin for origin in refundable.origins(invoice) if origin.left]
    if not found:
        raise ConflictError("No payment of it could go back.", code="nothing_to_refund")
    if _open_on([UUID(origin.key) for origin in found]).exists():
        raise ConflictError("What paid it is contested already.", code="already_contested")
    disputes = [
        Dispute(
            customer_id=invoice.customer_id,
            payment_id=UUID(origin.key),
            source=DisputeSource.CUSTOMER,
            amount_minor=origin.left.minor,
            currency=invoice.currency,
            reason=reason[:255],
            opened_at=present,
            created_by=by,
        )
        for origin in found
    ]
    Dispute.objects.bulk_create(disputes)
    _move(invoice, "contest", at=present)
    journal.post(
        *(
            _fact("INVOICE_CONTESTED", row, key="contested", at=present, invoice=invoice.number)
            for row in disputes
        )
    )
    return disputes


@transaction.atomic
def opened(payment_id: UUID, dispute: base.Dispute, *, now: datetime) -> Dispute:
    """A bank contests a payment: the gateway holds the money back. Again is the same as once.

    What the customer contested with us before is left to the bank.

    :raises NotFoundError: if there is no such payment.
    """
    payment = locks.payment(payment_id)
    known = _known(payment, dispute)
    if known is not None:
        return known
    present = payment.customer.lives_at(now)
    for row in _open_on([payment.pk]):
        _close(row, "win", at=present, by=payment.gateway, left_to_bank=True)
    row = Dispute.objects.create(
        customer_id=payment.customer_id,
        payment=payment,
        source=DisputeSource.GATEWAY,
        amount_minor=dispute.amount.minor,
        currency=dispute.amount.currency,
        reason=dispute.reason[:255],
        external_id=dispute.external_id,
        opened_at=present,
        created_by=payment.gateway,
    )
    for invoice in refundable.settled_by(payment):
        if invoice.status == InvoiceStatus.PAID:
            _move(invoice, "contest", at=present)
    posted = postings.dispute_opened(row.amount, gateway=payment.gateway)
    journal.post(_fact("DISPUTE_OPENED", row, key="opened", at=present, posted=posted))
    return row


def follow(payment_id: UUID, dispute: base.Dispute, *, now: datetime) -> Dispute:
    """What a gateway says of a dispute: it is opened, if it was not, and decided, if it is."""
    with transaction.atomic():
        row = opened(payment_id, dispute, now=now)
        if row.evidence_due_at != dispute.evidence_due_at:
            row.evidence_due_at = dispute.evidence_due_at
            row.save(update_fields=["evidence_due_at"])
        if dispute.status == DisputeStatus.OPEN:
            return row
        step = "win" if dispute.status == DisputeStatus.WON else "lose"
        return _decide_by_gateway(locks.dispute(row.pk), step, now=now)


@transaction.atomic
def decide(
    dispute_id: UUID, status: DisputeStatus, *, by: str, now: datetime
) -> tuple[Dispute, list[Refund]]:
    """An operator decides what a customer contests; the refunds to collect, if we give in.

    All that the invoice was paid with is decided together. Again is the same as once.

    :raises NotFoundError: if there is no such dispute.
    :raises ConflictError: if a bank contests it, or it was decided the other way.
    """
    dispute = locks.dispute(dispute_id)
    if dispute.source == DisputeSource.GATEWAY:
        raise ConflictError(
            f"{dispute.payment.gateway.capitalize()} decides this one.", code="decided_by_gateway"
        )
    if dispute.status == status:
        return dispute, []
    step = "win" if status == DisputeStatus.WON else "lose"
    lifecycle.DISPUTE.after(dispute.status, step)
    present = dispute.customer.lives_at(now)
    invoice = _in_protest(dispute.payment)
    rows = [dispute] if invoice is None else _beside(dispute, invoice)
    opened_refunds = []
    for row in rows:
        refund = _give_in(row, invoice, by=by, now=present) if step == "lose" else None
        opened_refunds += [refund] if refund else []
        posted = postings.contest_conceded(refund.amount) if refund else []
        _close(row, step, at=present, by=by, posted=posted)
    if invoice is not None:
        _move(invoice, step, at=present)
    dispute.refresh_from_db()
    return dispute, opened_refunds


def _decide_by_gateway(dispute: Dispute, step: str, *, now: datetime) -> Dispute:
    """Whoever hears first wins; the second changes nothing."""
    if dispute.status != DisputeStatus.OPEN:
        return dispute
    payment = dispute.payment
    posted = (
        postings.dispute_won(dispute.amount, gateway=payment.gateway)
        if step == "win"
        else postings.dispute_lost(dispute.amount)
    )
    present = dispute.customer.lives_at(now)
    _close(dispute, step, at=present, by=payment.gateway, posted=posted)
    for invoice in refundable.settled_by(payment):
        if invoice.status == InvoiceStatus.IN_PROTEST:
            _move(invoice, step, at=present)
    return dispute


def _give_in(dispute: Dispute, invoice: Invoice | None, *, by: str, now: datetime) -> Refund | None:
    """What was contested goes back, as far as it has not gone by now."""
    payment = dispute.payment
    left = Money(refundable.left_of([payment])[payment.pk], payment.currency)
    of_invoice = [] if invoice is None else refundable.origins(invoice)
    amount = min([dispute.amount, left, *(o.left for o in of_invoice if o.key == str(payment.pk))])
    if not amount:
        return None
    return refunds.open_for(payment, amount, Ask(by, dispute.reason), now=now)


def _close(
    dispute: Dispute,
    step: str,
    *,
    at: datetime,
    by: str,
    posted: Postings | None = None,
    **context: object,
) -> None:
    dispute.status = lifecycle.DISPUTE.after(dispute.status, step)
    dispute.closed_at = at
    dispute.save(update_fields=["status", "closed_at"])
    kind = f"DISPUTE_{dispute.status}"
    journal.post(_fact(kind, dispute, key="closed", at=at, posted=posted or [], by=by, **context))


def _move(invoice: Invoice, step: str, *, at: datetime) -> None:
    invoice.status = lifecycle.INVOICE.after(invoice.status, step)
    invoice.version += 1
    invoice.save(update_fields=["status", "version"])
    announcing.stepped(step, invoice, at=at)


def _known(payment: Payment, dispute: base.Dispute) -> Dispute | None:
    rows = Dispute.objects.filter(payment=payment, source=DisputeSource.GATEWAY)
    return rows.filter(external_id=dispute.external_id).first()


def _open_on(payment_ids: Sequence[UUID]) -> models.QuerySet[Dispute]:
    rows = Dispute.objects.filter(payment__in=payment_ids, status=DisputeStatus.OPEN)
    return rows.select_related("payment").order_by("pk")


def _in_protest(payment: Payment) -> Invoice | None:
    """The one invoice of a payment that is contested: a payment has one open dispute."""
    return next(
        (
            invoice
            for invoice in refundable.settled_by(payment)
            if invoice.status == InvoiceStatus.IN_PROTEST
        ),
        None,
    )


def _beside(dispute: Dispute, invoice: Invoice) -> list[Dispute]:
    """What is decided with it: all that the customer contests of an invoice."""
    payment_ids = [UUID(origin.key) for origin in refundable.origins(invoice)]
    rows = _open_on(payment_ids).filter(source=DisputeSource.CUSTOMER)
    return list(rows) or [dispute]


def _fact(
    kind: str,
    dispute: Dispute,
    *,
    key: str,
    at: datetime,
    posted: Postings | None = None,
    **context: object,
) -> Fact:
    return Fact(
        kind=kind,
        key=f"dispute:{dispute.pk}:{key}",
        customer_id=dispute.customer_id,
        occurred_at=at,
        context={
            "payment": str(dispute.payment_id),
            "gateway": dispute.payment.gateway,
            "external_id": dispute.external_id,
            "source": dispute.source,
            "amount": str(Money(dispute.amount_minor, dispute.currency)),
            "reason": dispute.reason,
            **context,
        },
        postings=posted or (),
        source_kind="dispute",
        source_id=dispute.pk,
    )
