"""Commands on credit notes: what corrects a finalized invoice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from billing.core import lifecycle
from billing.core.crediting import WHOLE, Request
from billing.core.errors import ConflictError
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.core.money import Money
from billing.core.returning import Destination
from billing.models import CreditDraw, CreditGrant, CreditNote, Invoice, Refund
from billing.models.credit import DrawKind
from billing.models.credit_note import CreditReason
from billing.models.invoice import InvoicePurpose
from billing.queries import let_go, refundable
from billing.services import (
    announcing,
    credit,
    credit_documents,
    differences,
    drawing,
    dunning,
    instalments,
    journal,
    locks,
    settling,
)
from billing.services.credit import Source
from billing.services.drawing import Purpose
from billing.services.journal import Fact

CREDITABLE: Final = lifecycle.COLLECTIBLE | {InvoiceStatus.PAID}


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be credited, where what was paid goes, and why.

    :param payment_id: the only payment that gives anything back; None for all, newest first.
    """

    request: Request = WHOLE
    to: Destination = Destination.AUTO
    reason: CreditReason = CreditReason.CORRECTION
    note: str = ""
    payment_id: UUID | None = None


@transaction.atomic
def issue(
    invoice_id: UUID,
    order: Order,
    *,
    by: str,
    now: datetime,
    expected_version: int | None = None,
) -> CreditNote:
    """Credit a finalized invoice, whole or in part: first what is owed on it, then what was paid.

    What nobody owes any more is paid, or canceled where nobody paid anything. What goes back
    stands as refunds, which the caller has collected.

    :raises NotFoundError: if there is no such invoice.
    :raises InvalidError: if what is asked for makes no sense.
    :raises ConflictError: if it is a draft or at an end, a charge for it is under way, or more is
        asked for than is left; with code `version_mismatch` if it has changed since it was seen.
    """
    invoice = locks.invoice(invoice_id)
    if expected_version is not None and invoice.version != expected_version:
        raise ConflictError("It was changed by someone else.", code="version_mismatch")
    return issue_on(invoice, order, by=by, now=invoice.customer.lives_at(now))


def issue_on(invoice: Invoice, order: Order, *, by: str, now: datetime) -> CreditNote:
    """The same, in a transaction of the caller's, who holds the lock on the invoice.

    :param now: the customer's present.
    """
    require_creditable(invoice)
    document = _write(invoice, order, by=by, now=now)
    _settle(invoice, now=now)
    invoice.version += 1
    invoice.save(update_fields=["version"])
    conclude(invoice, now=now)
    return document


def cancel(invoice: Invoice, *, by: str, now: datetime) -> CreditNote:
    """Take back all of a finalized invoice that is not paid; the invoice is canceled.

    In a transaction of the caller's, who holds the lock on the invoice. What was paid of it in
    part is the customer's credit.
    """
    require_creditable(invoice)
    order = Order(to=Destination.BALANCE, reason=CreditReason.CANCELLATION)
    document = _write(invoice, order, by=by, now=now)
    _cancel(invoice, now=now)
    return document


def require_creditable(invoice: Invoice) -> None:
    """Refuse what cannot be credited as it is.

    :raises ConflictError: if it is a draft or at an end, or a charge for it is under way.
    """
    if invoice.status not in CREDITABLE:
        hint = " Edit it instead." if invoice.status == InvoiceStatus.DRAFT else ""
        raise ConflictError(
            f"It cannot be credited: the invoice is {invoice.status.lower()}.{hint}",
            code="not_creditable",
        )
    if invoice.attempts.filter(status__in=lifecycle.OPEN_ATTEMPTS).exists():
        raise ConflictError("A charge for this invoice is under way.", code="charge_under_way")


def conclude(invoice: Invoice, *, now: datetime) -> None:
    """A paid invoice is refunded once all is credited and all that was paid has gone back.

    What credit had paid has gone back when it is credit again; money that became credit instead
    has not. In a transaction of the caller's, who holds the lock on the invoice.
    """
    if invoice.status != InvoiceStatus.PAID:
        return
    sums = invoice.credit_notes.aggregate(
        total=Sum("total_minor"), due=Sum("to_due_minor"), credit=Sum("to_credit_minor")
    )
    paid_by_credit: int = (
        CreditDraw.objects.filter(invoice=invoice).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    )
    refunds = Refund.objects.filter(credit_note__invoice=invoice)
    is_all_back = (
        sums["total"] == invoice.total_minor
        and sums["due"] < invoice.total_minor
        and sums["credit"] <= paid_by_credit
        and not refunds.exclude(status=AttemptStatus.SUCCEEDED).exists()
    )
    if is_all_back:
        invoice.status = lifecycle.INVOICE.after(invoice.status, "refund")
        invoice.version += 1
        invoice.save(update_fields=["status", "version"])
        announcing.stepped("refund", invoice, at=now)


def _write(invoice: Invoice, order: Order, *, by: str, now: datetime) -> CreditNote:
    facts = _let_go_again(invoice, order, now=now)
    journal.post(*facts)
    found = refundable.foreseen(invoice, order.request, to=order.to, payment_id=order.payment_id)
    sold = _take_sold_credit(invoice, found.credited.total, by=by, now=now)
    document = CreditNote(
        invoice=invoice,
        customer_id=invoice.customer_id,
        reason=order.reason,
        note=order.note[:500],
        currency=invoice.currency,
        issued_at=now,
        created_by=by,
    )
    fact = credit_documents.write(document, found, is_sold_credit_there=sold)
    refunds = credit_documents.put_refunds(document, found)
    _give_credit(document, found.split.to_credit, now=now)
    if found.split.to_due:
        instalments.lessen(invoice, found.split.to_due)
    journal.post(_with_refunds(fact, refunds))
    announcing.refunds_created(refunds, at=now)
    return document


def _settle(invoice: Invoice, *, now: datetime) -> None:
    """What is not owed any more is paid; or canceled, where nothing else settled it."""
    credited: int = invoice.credit_notes.aggregate(sum=Sum("to_due_minor"))["sum"]
    if invoice.status in lifecycle.COLLECTIBLE and credited == invoice.total_minor:
        _cancel(invoice, now=now)
    else:
        settling.settle([invoice], now=now)


def _cancel(invoice: Invoice, *, now: datetime) -> None:
    invoice.status = lifecycle.INVOICE.after(invoice.status, "cancel")
    invoice.next_charge_at = None
    invoice.version += 1
    invoice.save(update_fields=["status", "next_charge_at", "version"])
    announcing.stepped("cancel", invoice, at=now)
    dunning.recovered([invoice], now=now)
    settling.recover(invoice, now=now)


def _let_go_again(invoice: Invoice, order: Order, *, now: datetime) -> list[Fact]:
    """What was let go of an invoice was not paid: it is owed again, for the credit to lessen."""
    let_go_of = let_go.on([invoice]).get(invoice.pk)
    if let_go_of is None:
        return []
    found = refundable.foreseen(invoice, order.request, to=order.to)
    amount = min(let_go_of, found.credited.total)
    return [differences.taken_back(invoice, amount, now=now)]


def _take_sold_credit(invoice: Invoice, amount: Money, *, by: str, now: datetime) -> bool:
    """Take back the credit that an invoice sold; whether it was there.

    :raises ConflictError: if some of it is used, or only a part of the invoice is credited.
    """
    if invoice.purpose == InvoicePurpose.SALE:
        return False
    if amount != invoice.total:
        raise ConflictError("An invoice over credit is credited whole.", code="credited_whole")
    grant = CreditGrant.objects.filter(invoice=invoice).first()
    if grant is None:
        return False
    if grant.remaining_minor != grant.amount_minor:
        raise ConflictError("The credit that it sold is used.", code="credit_spent")
    purpose = Purpose(DrawKind.REFUND, by=by)
    drawing.put(drawing.draw([grant], grant.amount, purpose, now=now))
    return True


def _give_credit(document: CreditNote, amount: Money, *, now: datetime) -> None:
    if amount:
        credit.give(
            document.customer_id,
            amount,
            source=Source(credit_note_id=document.pk),
            reason=f"Credited by {document.number}",
            now=now,
            by=document.created_by,
        )


def _with_refunds(fact: Fact, refunds: Sequence[Refund]) -> Fact:
    said = [{"payment": str(row.payment_id), "amount": str(row.amount)} for row in refunds]
    return replace(fact, context={**fact.context, "refunds": said})
