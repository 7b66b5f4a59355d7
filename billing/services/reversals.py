"""What was entered of a payment, undone: put on another invoice, taken off one, or bounced.

An allocation says what a payment settled when it came. What is taken off an invoice later is
credit of that payment, and what such credit settles then is a draw from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core import postings
from billing.core.errors import ConflictError, InvalidError, NotFoundError
from billing.core.lifecycle import AttemptStatus
from billing.core.money import Money
from billing.models import Allocation, CreditDraw, CreditGrant, CreditNote, Invoice, Payment, Refund
from billing.models.credit import DrawKind
from billing.queries import balances, let_go
from billing.services import credit, differences, drawing, incoming, journal, locks, settling
from billing.services.credit import Source
from billing.services.drawing import Purpose
from billing.services.journal import Fact


@transaction.atomic
def allocate(
    payment_id: UUID, invoice_id: UUID, *, amount: Money | None = None, by: str, now: datetime
) -> None:
    """Put what is credit of a payment on an invoice.

    :param amount: None for as much as the invoice needs.
    :raises NotFoundError: if there is no such payment.
    :raises InvalidError: if the invoice is another customer's or in another currency, or the
        amount more than it needs.
    :raises ConflictError: if nothing is owed on it, or the payment has not so much credit left.
    """
    payment = _standing(payment_id)
    present = payment.customer.lives_at(now)
    invoice = incoming.payable(payment.customer, invoice_id, payment.currency)
    owed = Money(balances.due_on([invoice])[invoice.pk], payment.currency)
    grants = drawing.usable([payment.customer_id], now=present)
    own = [
        grant
        for grant in grants[payment.customer_id, payment.currency]
        if grant.payment_id == payment.pk
    ]
    left = Money(sum(grant.remaining_minor for grant in own), payment.currency)
    wanted = min(owed, left) if amount is None else amount
    if not 0 < wanted.minor <= owed.minor and left:
        raise InvalidError(f"{owed} is owed on {invoice.number}.", code="invalid_amount")
    if not left or left < wanted:
        raise ConflictError(
            f"Of this payment, {left} is credit that is not used.", code="not_enough_credit"
        )
    journal.post(*credit.apply_from(own, invoice, wanted, now=present, by=by))
    settling.settle([invoice], now=present)


@transaction.atomic
def reverse_allocation(
    payment_id: UUID, invoice_id: UUID, *, by: str, reason: str, now: datetime
) -> None:
    """Take a payment off an invoice: it is owed again, and the money is the customer's credit.

    Credit that was sold by the invoice stays with the customer, who owes for it.

    :raises NotFoundError: if there is no such payment, or it settles nothing of the invoice.
    :raises ConflictError: if the payment was undone, or the invoice is at an end.
    """
    payment = _standing(payment_id)
    present = payment.customer.lives_at(now)
    allocation = payment.allocations.standing().filter(invoice=invoice_id).first()
    draws = _draws(payment, invoice_id)
    drawn = drawing.total(draws, payment.currency)
    if allocation is None and not drawn:
        raise NotFoundError(
            f"The payment settles nothing of invoice {invoice_id}.", code="not_found"
        )
    invoice = Invoice.objects.get(pk=invoice_id)
    facts = credit.take_off(invoice, draws, drawn, now=present, by=by)
    if allocation is not None:
        facts.append(_to_credit(allocation, payment, invoice, by=by, reason=reason, now=present))
    _reopen([invoice], facts, now=present)


@transaction.atomic
def reverse(payment_id: UUID, *, by: str, reason: str, now: datetime) -> Payment:
    """A payment bounced, or was entered by mistake: all of it is undone.

    What it settled is owed again, by credit of it too. Where that credit went on something that
    cannot be undone (usage, a refund, its expiry), the whole is refused.

    :raises NotFoundError: if there is no such payment.
    :raises ConflictError: if it was undone before, came through a gateway (which refunds or
        contests it), was refunded, its credit is spent, or an invoice is at an end.
    """
    payment = _standing(payment_id)
    present = payment.customer.lives_at(now)
    _require_by_hand(payment)
    facts: list[Fact] = []
    invoices: dict[UUID, Invoice] = {}
    for invoice in _invoices_by_credit(payment):
        draws = _draws(payment, invoice.pk)
        drawn = drawing.total(draws, payment.currency)
        facts += credit.take_off(invoice, draws, drawn, now=present, by=by)
        invoices[invoice.pk] = invoice
    _void_credit(payment, by=by, now=present)
    allocated = {}
    for allocation in payment.allocations.standing().select_related("invoice").order_by("pk"):
        _close(allocation, by=by, now=present)
        allocated[allocation.invoice_id] = Money(allocation.amount_minor, payment.currency)
        invoices.setdefault(allocation.invoice_id, allocation.invoice)
    payment.reversed_at = present
    payment.save(update_fields=["reversed_at"])
    facts.append(
        _fact(
            "PAYMENT_REVERSED",
            payment,
            key="reversed",
            at=present,
            posted=postings.payment_reversed(
                payment.amount, gateway=payment.gateway, allocated=allocated
            ),
            amount=str(payment.amount),
            invoices=[invoices[pk].number for pk in allocated],
            by=by,
            reason=reason,
        )
    )
    _reopen(list(invoices.values()), facts, now=present)
    return payment


def _standing(payment_id: UUID) -> Payment:
    payment = locks.payment(payment_id)
    if payment.reversed_at is not None:
        raise ConflictError("The payment was undone.", code="payment_reversed")
    return payment


def _require_by_hand(payment: Payment) -> None:
    if payment.attempt_id is not None:
        raise ConflictError(
            f"It came through {payment.gateway}: refund it there.", code="charged_by_gateway"
        )
    refunds = Refund.objects.filter(payment=payment).exclude(status=AttemptStatus.FAILED)
    if refunds.exists():
        raise ConflictError("Some of it was refunded.", code="payment_refunded")


def _draws(payment: Payment, invoice_id: UUID) -> list[CreditDraw]:
    """What credit of a payment settled of an invoice, in order."""
    rows = CreditDraw.objects.filter(
        kind=DrawKind.INVOICE, invoice=invoice_id, grant__payment=payment
    )
    return list(rows.prefetch_related("grant").order_by("pk"))


def _invoices_by_credit(payment: Payment) -> list[Invoice]:
    drawn = CreditDraw.objects.filter(kind=DrawKind.INVOICE, grant__payment=payment)
    return list(Invoice.objects.filter(pk__in=drawn.values("invoice")).order_by("pk"))


def _to_credit(
    allocation: Allocation,
    payment: Payment,
    invoice: Invoice,
    *,
    by: str,
    reason: str,
    now: datetime,
) -> Fact:
    """Reverse an allocation, whose money is credit of the payment from here on."""
    amount = Money(allocation.amount_minor, payment.currency)
    _close(allocation, by=by, now=now)
    credit.give(
        payment.customer_id,
        amount,
        source=Source(payment_id=payment.pk),
        reason=f"Taken off {invoice.number}",
        now=now,
        by=by,
    )
    return _fact(
        "ALLOCATION_REVERSED",
        payment,
        key=f"allocation_reversed:{allocation.pk}",
        at=now,
        posted=postings.allocation_reversed(amount),
        invoice_id=invoice.pk,
        invoice=invoice.number,
        amount=str(amount),
        by=by,
        reason=reason,
    )


def _close(allocation: Allocation, *, by: str, now: datetime) -> None:
    allocation.reversed_at, allocation.reversed_by = now, by
    allocation.save(update_fields=["reversed_at", "reversed_by"])


def _void_credit(payment: Payment, *, by: str, now: datetime) -> None:
    """Take all credit of a payment back; its posting is part of the payment's reversal."""
    grants = list(CreditGrant.objects.filter(payment=payment).order_by("pk"))
    spent = Money(sum(row.amount_minor - row.remaining_minor for row in grants), payment.currency)
    if spent:
        used = CreditDraw.objects.filter(grant__in=grants).exclude(kind=DrawKind.INVOICE)
        kinds = sorted({str(kind).lower() for kind in used.values_list("kind", flat=True)})
        raise ConflictError(
            f"{spent} of it was given as credit and is spent: {', '.join(kinds)}.",
            code="credit_spent",
        )
    purpose = Purpose(DrawKind.VOID, by=by)
    drawing.put(
        [
            draw
            for grant in grants
            for draw in drawing.draw([grant], grant.remaining, purpose, now=now)
        ]
    )


def _reopen(invoices: Sequence[Invoice], facts: Sequence[Fact], *, now: datetime) -> None:
    """The invoices are owed again, with what was let go of them.

    :raises ConflictError: if what was paid of one has been given back by a credit note.
    """
    _require_kept(invoices)
    journal.post(*facts)
    for invoice in invoices:
        settling.reopen(invoice, now=now)
    let_go_before = let_go.on(invoices)
    journal.post(
        *(
            differences.taken_back(invoice, let_go_before[invoice.pk], now=now)
            for invoice in invoices
            if let_go_before.get(invoice.pk)
        )
    )


def _require_kept(invoices: Sequence[Invoice]) -> None:
    given_back = CreditNote.objects.filter(invoice__in=invoices).exclude(
        to_credit_minor=0, to_refund_minor=0
    )
    found = given_back.select_related("invoice").first()
    if found is not None:
        raise ConflictError(
            f"What was paid of {found.invoice.number} was given back by {found.number}.",
            code="invoice_credited",
        )


def _fact(
    kind: str,
    payment: Payment,
    *,
    key: str,
    at: datetime,
    posted: postings.Postings,
    invoice_id: UUID | None = None,
    **context: object,
) -> Fact:
    return Fact(
        kind=kind,
        key=f"payment:{payment.pk}:{key}",
        customer_id=payment.customer_id,
        occurred_at=at,
        context={"gateway": payment.gateway, "reference": payment.reference, **context},
        postings=posted,
        source_kind="payment",
        source_id=payment.pk,
        invoice_id=invoice_id,
    )
