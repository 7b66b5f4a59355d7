"""A customer's billing status: may they use the service, what do they owe, what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing.core.entitlements import Access
from billing.core.money import Money, total
from billing.core.processors.open_invoices import PROCESSOR as OPEN_INVOICES
from billing.models import Invoice, PaymentMethod
from billing.queries import entitlements, instalments, overview, projections
from billing.queries.instalments import Agreed
from billing.queries.outlook import Outlook
from customers.models import Customer
from plans.models import Meter


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed in one currency.

    :param overdue: what of it should have been paid by now.
    :param oldest_due_at: when the first of it was or is due; None if nobody said when.
    :param invoices: on how many.
    """

    owed: Money
    overdue: Money
    oldest_due_at: datetime | None
    invoices: int


@dataclass(frozen=True, slots=True)
class Status:
    """At one instant of the customer's own time."""

    present: datetime
    access: Access
    owed: Sequence[Owed]
    outlook: Outlook | None


@dataclass(frozen=True, slots=True)
class _Due:
    """A part of an invoice that is not paid yet."""

    invoice: UUID
    amount: Money
    due_at: datetime | None


def of(customer: Customer, *, now: datetime) -> Status:
    """How a customer stands."""
    present = customer.lives_at(now)
    rights = entitlements.of(customer, now=now)
    method = PaymentMethod.objects.usable().filter(customer=customer, is_default=True).first()
    meters = {meter.code: meter for meter in Meter.objects.all()}
    parts = _parts(projections.of(OPEN_INVOICES.name, customer))
    currencies = sorted({part.amount.currency for part in parts})
    return Status(
        present=present,
        access=rights.access,
        owed=[
            _owed([part for part in parts if part.amount.currency == currency], now=present)
            for currency in currencies
        ],
        outlook=overview.foreseen(rights, method, present, meters),
    )


def _parts(opened: Mapping[str, Any]) -> list[_Due]:
    """What is still to be paid, instalment by instalment, and by when."""
    invoices = Invoice.objects.filter(pk__in=list(opened))
    owed = {UUID(key): value["due"] for key, value in opened.items()}
    agreed = instalments.agreed(list(invoices), owed)
    return [part for invoice in invoices for part in _of(invoice, owed[invoice.pk], agreed)]


def _of(invoice: Invoice, minor: int, agreed: Mapping[UUID, Sequence[Agreed]]) -> list[_Due]:
    if invoice.pk not in agreed:
        return [_Due(invoice.pk, Money(minor, invoice.currency), invoice.due_at)]
    return [_Due(invoice.pk, part.left, part.due_at) for part in agreed[invoice.pk] if part.left]


def _owed(parts: Sequence[_Due], *, now: datetime) -> Owed:
    currency = parts[0].amount.currency
    return Owed(
        owed=total((part.amount for part in parts), currency),
        overdue=total(
            (part.amount for part in parts if part.due_at is not None and part.due_at < now),
            currency,
        ),
        oldest_due_at=min((part.due_at for part in parts if part.due_at), default=None),
        invoices=len({part.invoice for part in parts}),
    )
