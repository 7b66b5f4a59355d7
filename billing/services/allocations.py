"""Money that came in, and which invoices it settles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from billing.core import postings
from billing.core.money import Money, total
from billing.models import Allocation, Invoice, Payment
from billing.queries import balances
from billing.services import credit, journal, settling
from billing.services.credit import Gift, Source
from billing.services.journal import Fact

OVER: Gift = Gift(reason="Paid above what was owed")


def receive(
    payment: Payment,
    parts: Sequence[tuple[Invoice, Money]],
    *,
    context: Mapping[str, Any],
    now: datetime,
    over: Gift = OVER,
) -> None:
    """Store a payment and what it settles, in a transaction of the caller's, who holds the locks.

    Nothing is settled twice: what an invoice does not need any more is the customer's credit, as
    is what is over.

    :param parts: what of it is meant for which invoice.
    :param context: what the fact says beside the amounts.
    :param over: as what kind of credit the rest is given.
    """
    owed = balances.due_on([invoice for invoice, _ in parts])
    allocated = {
        invoice.pk: Money(min(amount.minor, max(owed[invoice.pk], 0)), payment.currency)
        for invoice, amount in parts
    }
    payment.save(force_insert=True)
    Allocation.objects.bulk_create(
        Allocation(payment=payment, invoice_id=pk, amount_minor=amount.minor)
        for pk, amount in allocated.items()
        if amount
    )
    rest = payment.amount - total(allocated.values(), payment.currency)
    if rest:
        source = Source(payment_id=payment.pk)
        credit.store(payment.customer_id, rest, over, source=source, now=now)
    said = {
        "invoices": [
            {"invoice": invoice.number, "amount": str(allocated[invoice.pk])}
            for invoice, _ in parts
        ],
        "to_credit": str(rest),
        **context,
    }
    journal.post(_received(payment, allocated, said, now=now))
    settling.settle([invoice for invoice, _ in parts], now=now)


def _received(
    payment: Payment, allocated: Mapping[UUID, Money], said: Mapping[str, Any], *, now: datetime
) -> Fact:
    return Fact(
        kind="PAYMENT_RECEIVED",
        key=f"payment:{payment.pk}:received",
        customer_id=payment.customer_id,
        occurred_at=now,
        context={
            "gateway": payment.gateway,
            "reference": payment.reference,
            "amount": str(payment.amount),
            **said,
        },
        postings=postings.payment_received(
            payment.amount, gateway=payment.gateway, allocated=allocated
        ),
        source_kind="payment",
        source_id=payment.pk,
    )
