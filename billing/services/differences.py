"""The facts about differences that are too small to ask for."""

from __future__ import annotations

from datetime import datetime

from uuid_utils.compat import uuid7

from billing.core import postings
from billing.core.money import Money
from billing.models import Invoice, Payment
from billing.services.journal import Fact


def let_go(invoice: Invoice, missing: Money, payment: Payment, *, now: datetime) -> Fact:
    """So little is missing after a payment that the invoice counts as paid."""
    return _fact(
        "DIFFERENCE_LET_GO",
        invoice,
        missing,
        key=f"payment:{payment.pk}:difference_let_go:{invoice.pk}",
        now=now,
        payment=str(payment.pk),
    )


def taken_back(invoice: Invoice, amount: Money, *, now: datetime) -> Fact:
    """The invoice is owed again, or credited, with what was let go of it."""
    return _fact(
        "DIFFERENCE_TAKEN_BACK",
        invoice,
        -amount,
        key=f"invoice:{invoice.pk}:difference_taken_back:{uuid7()}",
        now=now,
    )


def _fact(
    kind: str, invoice: Invoice, amount: Money, *, key: str, now: datetime, **context: str
) -> Fact:
    """`amount` is what is let go; negative where it is taken back."""
    return Fact(
        kind=kind,
        key=key,
        customer_id=invoice.customer_id,
        occurred_at=now,
        context={
            "invoice": invoice.number,
            "amount": str(Money(abs(amount.minor), amount.currency)),
            **context,
        },
        postings=postings.difference_let_go(amount),
        source_kind="invoice",
        source_id=invoice.pk,
        invoice_id=invoice.pk,
    )
