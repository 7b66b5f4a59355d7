"""What of invoices can still be credited, and what of payments can still go back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum

from billing.core import crediting, returning
from billing.core.crediting import Billed, Credited, Request
from billing.core.lifecycle import AttemptStatus, DisputeStatus
from billing.core.money import Money
from billing.core.returning import Destination, Origin, Split
from billing.core.taxes import Tax, TaxCategory
from billing.models import (
    Allocation,
    CreditNoteLine,
    Dispute,
    Invoice,
    InvoiceLine,
    Payment,
    Refund,
)
from billing.models.refund import DisputeSource
from billing.queries import balances


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a credit note would say, and where it would go."""

    credited: Credited
    split: Split


def foreseen(
    invoice: Invoice,
    request: Request,
    *,
    to: Destination,
    payment_id: UUID | None = None,
) -> Foreseen:
    """What a credit of a finalized invoice comes to.

    :param payment_id: the only payment that gives anything back; None for all, newest first.
    :raises BillingError: if it makes no sense, or is more than is left.
    """
    currency = invoice.currency
    credited = crediting.credit(billed(invoice), request, currency=currency)
    owed = Money(balances.due_on([invoice])[invoice.pk], currency)
    found = [
        origin for origin in origins(invoice) if payment_id is None or origin.key == str(payment_id)
    ]
    return Foreseen(credited, returning.split(credited.total, owed=owed, origins=found, to=to))


def billed(invoice: Invoice) -> list[Billed]:
    """An invoice's lines with what was credited of them before."""
    before = _credited_before(invoice)
    none = (0, 0, None)
    return [
        _billed(line, *before.get(line.pk, none)) for line in invoice.lines.order_by("position")
    ]


def left_on(invoice: Invoice) -> Money:
    """What of an invoice can still be credited, with its tax."""
    return crediting.left_of(billed(invoice), currency=invoice.currency)


def tax_of(line: InvoiceLine) -> Tax:
    """The tax that a line of a finalized invoice bears, without its note."""
    return Tax(TaxCategory(line.tax_category), line.tax_rate, line.tax_country, line.tax_region)


def origins(invoice: Invoice) -> list[Origin]:
    """The payments that settle an invoice with what of them can still go back, newest first."""
    rows = list(_standing(invoice))
    left = left_of([row.payment for row in rows])
    gone = dict(
        _counted()
        .filter(credit_note__invoice=invoice)
        .values_list("payment")
        .annotate(minor=Sum("amount_minor"))
        .order_by()
    )
    return [
        Origin(
            str(row.payment_id),
            Money(
                max(min(row.amount_minor - gone.get(row.payment_id, 0), left[row.payment_id]), 0),
                invoice.currency,
            ),
            is_by_hand=row.payment.attempt_id is None,
        )
        for row in rows
    ]


def left_of(payments: Iterable[Payment]) -> dict[UUID, int]:
    """Payment → what of it can go back, in minor units.

    That is what has not gone, is not on its way, and is not held by a bank that contests it.
    """
    rows = {payment.pk: payment for payment in payments}
    gone = _sums(_counted().filter(payment__in=rows))
    held = _sums(
        Dispute.objects.filter(payment__in=rows, source=DisputeSource.GATEWAY).exclude(
            status=DisputeStatus.WON
        )
    )
    return {
        pk: 0
        if row.reversed_at is not None
        else max(row.amount_minor - gone.get(pk, 0) - held.get(pk, 0), 0)
        for pk, row in rows.items()
    }


def settled_by(payment: Payment) -> Sequence[Invoice]:
    """The invoices that a payment settles, the one it settled last first."""
    rows = payment.allocations.standing().select_related("invoice__customer__test_clock")
    return [row.invoice for row in rows.order_by("-pk")]


def _standing(invoice: Invoice) -> QuerySet[Allocation]:
    rows = Allocation.objects.standing().filter(invoice=invoice).select_related("payment")
    return rows.order_by("-payment__received_at", "-pk")


def _counted() -> QuerySet[Refund]:
    """Refunds whose money has gone, or is on its way."""
    return Refund.objects.exclude(status=AttemptStatus.FAILED)


def _sums(rows: QuerySet[Any]) -> dict[UUID, int]:
    return dict(rows.values_list("payment").annotate(minor=Sum("amount_minor")).order_by())


def _credited_before(invoice: Invoice) -> dict[UUID, tuple[int, int, Decimal | None]]:
    rows = CreditNoteLine.objects.filter(credit_note__invoice=invoice).values_list("invoice_line")
    sums = rows.annotate(net=Sum("net_minor"), tax=Sum("tax_minor"), quantity=Sum("quantity"))
    return {pk: (net, tax, quantity) for pk, net, tax, quantity in sums.order_by()}


def _billed(
    line: InvoiceLine, before_net: int, before_tax: int, before_quantity: Decimal | None
) -> Billed:
    return Billed(
        str(line.pk),
        line.net,
        tax_of(line),
        line.tax,
        quantity=line.quantity,
        before_net=Money(before_net, line.currency),
        before_tax=Money(before_tax, line.currency),
        before_quantity=before_quantity or Decimal(0),
    )
