"""What of a customer's invoice was taken back, and what they may still do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.core.lifecycle import InvoiceStatus
from billing.core.returning import REFUND_PERIOD
from billing.models import Allocation, CreditNote, Invoice, Refund


@dataclass(frozen=True, slots=True)
class Returned:
    """What an invoice's page says of it.

    :param refund_until: until when the customer may refund it by themselves; None for not.
    :param is_contestable: whether they may contest it.
    """

    credit_notes: Sequence[CreditNote]
    refunds: Sequence[Refund]
    refund_until: datetime | None
    is_contestable: bool


def of(invoice: Invoice, *, now: datetime) -> Returned:
    """As it stands at `now`, in the customer's own time; the commands have the last word."""
    notes = list(invoice.credit_notes.order_by("issued_at", "pk"))
    refunds = Refund.objects.filter(credit_note__in=notes).order_by("created_at", "pk")
    has_rest = sum(note.total_minor for note in notes) < invoice.total_minor
    may_act = invoice.status == InvoiceStatus.PAID and has_rest
    until = invoice.paid_at + REFUND_PERIOD if may_act and invoice.paid_at is not None else None
    paid_by = Allocation.objects.standing().filter(invoice=invoice)
    return Returned(
        credit_notes=notes,
        refunds=list(refunds) if notes else [],
        refund_until=until if until is not None and now <= until else None,
        is_contestable=may_act and paid_by.exists(),
    )
