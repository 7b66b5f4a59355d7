"""Rows → what a document says: from what was frozen with it, and from what was booked since."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from billing.core.errors import ConflictError
from billing.core.lifecycle import COLLECTIBLE, InvoiceStatus
from billing.core.money import Money
from billing.core.taxes import Tax, TaxCategory, TaxTotal
from billing.documents.values import (
    Correction,
    CreditedBy,
    Document,
    DocumentKind,
    DocumentLine,
    PaidBy,
    Part,
    Standing,
)
from billing.models import Allocation, CreditNote, CreditNoteLine, Invoice, InvoiceLine
from billing.queries import balances, instalments

_STATES: Final = {
    InvoiceStatus.PAID: "Paid",
    InvoiceStatus.CANCELED: "Canceled",
    InvoiceStatus.REFUNDED: "Refunded",
    InvoiceStatus.UNCOLLECTIBLE: "Written off",
    InvoiceStatus.IN_PROTEST: "Contested",
    InvoiceStatus.CHARGEBACK: "Charged back",
}


def invoice(row: Invoice) -> Document:
    """A finalized invoice.

    :raises ConflictError: with code `invoice_not_finalized`, if it has no number: a draft, or one
        that was canceled as such.
    """
    series = row.series
    if row.number is None or row.issued_at is None or series is None:
        raise ConflictError(
            "It has no number yet: finalize the invoice first.", code="invoice_not_finalized"
        )
    lines = list(row.lines.order_by("position"))
    return Document(
        kind=DocumentKind.INVOICE,
        number=row.number,
        currency=row.currency,
        issued_at=row.issued_at,
        zone=_zone(row.buyer),
        seller=row.seller,
        seller_id=str(series.seller_id),
        buyer=row.buyer,
        lines=[_line(line) for line in lines],
        taxes=_taxes(row),
        tax=row.tax,
        total=row.total,
        notes=row.notes,
        due_at=row.due_at,
        start=row.period_start,
        end=row.period_end,
        standing=_standing(row),
    )


def credit_note(row: CreditNote) -> Document:
    """A credit note, which is finalized from the start."""
    issued_at = row.invoice.issued_at
    if issued_at is None:
        raise ValueError("Only what is finalized is credited.")
    lines = row.lines.select_related("invoice_line").order_by("position")
    notes = [row.note, *row.notes] if row.note else row.notes
    return Document(
        kind=DocumentKind.CREDIT_NOTE,
        number=row.number,
        currency=row.currency,
        issued_at=row.issued_at,
        zone=_zone(row.buyer),
        seller=row.seller,
        seller_id=str(row.series.seller_id),
        buyer=row.buyer,
        lines=[_credited(line) for line in lines],
        taxes=_taxes(row),
        tax=row.tax,
        total=row.total,
        notes=notes,
        correction=Correction(
            invoice_number=str(row.invoice.number),
            invoice_issued_at=issued_at,
            reason=row.reason,
            to_due=Money(row.to_due_minor, row.currency),
            to_credit=Money(row.to_credit_minor, row.currency),
            to_refund=Money(row.to_refund_minor, row.currency),
        ),
    )


def _zone(buyer: Mapping[str, Any]) -> ZoneInfo:
    """Whose days were meant; documents from before that was kept are in UTC."""
    return ZoneInfo(buyer.get("timezone") or "UTC")


def _line(row: InvoiceLine) -> DocumentLine:
    return DocumentLine(
        description=row.description,
        explanation=row.explanation,
        quantity=row.quantity,
        unit_amount=row.unit_amount,
        amount=row.amount,
        discount=row.discount,
        net=row.net,
        tax=_tax(row),
        is_tax_included=row.is_tax_included,
        start=row.period_start,
        end=row.period_end,
    )


def _credited(row: CreditNoteLine) -> DocumentLine:
    net = Money(row.net_minor, row.invoice_line.currency)
    return DocumentLine(
        description=row.description,
        explanation="",
        quantity=Decimal(1) if row.quantity is None else row.quantity,
        unit_amount=None,
        amount=net,
        discount=Money.zero(net.currency),
        net=net,
        tax=_tax(row.invoice_line),
        start=row.invoice_line.period_start,
        end=row.invoice_line.period_end,
    )


def _tax(row: InvoiceLine) -> Tax:
    """What a line bears; those from before there was tax bore none."""
    category = TaxCategory(row.tax_category or TaxCategory.OUT_OF_SCOPE)
    return Tax(category, row.tax_rate, row.tax_country, row.tax_region)


def _taxes(row: Invoice | CreditNote) -> list[TaxTotal]:
    """As frozen; a document from before there was tax bears none."""
    if not row.tax_totals:
        none = Tax(TaxCategory.OUT_OF_SCOPE, Decimal(0))
        return [TaxTotal(none, base=row.total - row.tax, amount=row.tax)]
    return [_total(said, row.currency) for said in row.tax_totals]


def _total(said: Mapping[str, Any], currency: str) -> TaxTotal:
    return TaxTotal(
        Tax(
            TaxCategory(said["category"]),
            Decimal(said["percent"]),
            said["country"],
            said["region"],
            said["note"],
        ),
        base=Money(said["base_minor"], currency),
        amount=Money(said["amount_minor"], currency),
    )


def _standing(row: Invoice) -> Standing:
    currency = row.currency
    owed = balances.due_on([row])
    parts = instalments.agreed([row], owed).get(row.pk, [])
    paid_by = Allocation.objects.standing().filter(invoice=row).order_by("payment__received_at")
    is_owed = row.status in COLLECTIBLE
    return Standing(
        due=Money(owed[row.pk], currency) if is_owed else Money.zero(currency),
        payments=[
            _paid_by(allocation)
            for allocation in paid_by.select_related("payment__attempt__payment_method")
        ],
        credit_applied=Money(balances.credit_on([row]).get(row.pk, 0), currency),
        credit_notes=[
            CreditedBy(note.number, note.issued_at, note.total, Money(note.to_due_minor, currency))
            for note in row.credit_notes.order_by("issued_at", "pk")
        ],
        instalments=[Part(part.amount, part.due_at, part.left) for part in parts],
        state=_STATES.get(InvoiceStatus(row.status), ""),
        is_void=row.status == InvoiceStatus.CANCELED,
        is_charged=is_owed and row.attempts.in_flight().exists(),
    )


def _paid_by(row: Allocation) -> PaidBy:
    payment = row.payment
    amount = Money(row.amount_minor, payment.currency)
    if payment.attempt is None:
        return PaidBy(amount, payment.received_at, kind=payment.gateway)
    method = payment.attempt.payment_method
    return PaidBy(
        amount,
        payment.received_at,
        kind=method.kind,
        method=str(method),
        last4=method.last4 if method.kind == "card" else "",
    )
