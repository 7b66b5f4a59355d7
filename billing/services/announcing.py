"""What the world is told that is no fact of the journal: steps of invoices, charges and refunds.

Each in the transaction of the caller's that makes it true.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from billing.core.events import Announcement
from billing.models import Invoice, PaymentAttempt, Refund
from billing.services import outgoing

# The steps of an invoice, by their names in `lifecycle.INVOICE`; what is finalized or written off
# is a fact of the journal.
INVOICE_STEPS: Final = {
    "pay": "paid",
    "fail": "payment_failed",
    "cancel": "canceled",
    "refund": "refunded",
    "contest": "contested",
    "win": "contest_won",
    "lose": "contest_lost",
    "reopen": "reopened",
}


def stepped(step: str, *invoices: Invoice, at: datetime) -> None:
    """Invoices took this step of their states, and stand as they shall be told."""
    of_invoices(INVOICE_STEPS[step], invoices, at=at)


def of_invoices(type_: str, invoices: Sequence[Invoice], *, at: datetime, **more: Any) -> None:
    """Something happened to invoices.

    :param type_: without its noun: `created`, `updated`, `overdue`, or what a step is called.
    :param more: what the type says beside what all say of invoices.
    """
    if not invoices:
        return
    outgoing.announce_all(
        Announcement(
            type=f"invoice.{type_}",
            customer_id=invoice.customer_id,
            object_kind="invoice",
            object_id=str(invoice.pk),
            data={**_invoice(invoice), **more},
            at=at,
        )
        for invoice in invoices
    )


def of_charge(type_: str, attempt: PaymentAttempt, *, at: datetime, **more: Any) -> None:
    """A charge waits for something. `type_` is without its noun."""
    invoice = attempt.invoice
    outgoing.announce(
        f"payment.{type_}",
        customer_id=invoice.customer_id,
        object_kind="charge",
        object_id=attempt.pk,
        data={
            "status": attempt.status,
            "amount": attempt.amount,
            "currency": attempt.currency,
            "gateway": attempt.gateway,
            "invoice": invoice.pk,
            "invoice_number": invoice.number,
            **more,
        },
        at=at,
    )


def refunds_created(refunds: Sequence[Refund], *, at: datetime) -> None:
    """Money is on its way back."""
    if not refunds:
        return
    outgoing.announce_all(
        Announcement(
            type="refund.created",
            customer_id=refund.customer_id,
            object_kind="refund",
            object_id=str(refund.pk),
            data={
                "status": refund.status,
                "payment": refund.payment_id,
                "amount": refund.amount,
                "currency": refund.currency,
                "gateway": refund.payment.gateway,
                "credit_note": refund.credit_note.number if refund.credit_note else None,
            },
            at=at,
        )
        for refund in refunds
    )


def _invoice(invoice: Invoice) -> dict[str, Any]:
    return {
        "number": invoice.number,
        "status": invoice.status,
        "purpose": invoice.purpose,
        "subtotal": invoice.subtotal,
        "discount": invoice.discount,
        "tax": invoice.tax,
        "total": invoice.total,
        "currency": invoice.currency,
        "due_at": invoice.due_at,
        "period_start": invoice.period_start,
        "period_end": invoice.period_end,
        "subscription": invoice.subscription_id,
    }
