"""What of invoices is due by when, instalments and all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.core import instalments
from billing.core.errors import ConflictError
from billing.core.instalments import Part
from billing.core.money import Money
from billing.models import Instalment, Invoice
from billing.queries import balances


@dataclass(frozen=True, slots=True)
class Agreed:
    """A part of an invoice, and what is paid of it."""

    amount: Money
    due_at: datetime
    paid: Money

    @property
    def left(self) -> Money:
        """What is still to be paid of it."""
        return self.amount - self.paid


def due_on(invoices: Sequence[Invoice], *, now: datetime) -> list[tuple[Invoice, Money]]:
    """Each invoice with what is to be paid of it by now."""
    owed, parts = balances.due_on(invoices), _parts(invoices)
    return [
        (
            invoice,
            instalments.due_now(
                Money(owed[invoice.pk], invoice.currency), parts.get(invoice, ()), now=now
            ),
        )
        for invoice in invoices
    ]


def next_part(invoice: Invoice) -> Part:
    """The first instalment that is not paid whole, with what is left of it.

    :raises ConflictError: if nothing is owed.
    """
    owed = Money(balances.due_on([invoice])[invoice.pk], invoice.currency)
    part = instalments.next_due(owed, _parts([invoice]).get(invoice, ()))
    if part is None:
        raise ConflictError("Nothing is owed on the invoice.", code="nothing_to_charge")
    return part


def agreed(
    invoices: Sequence[Invoice], owed: Mapping[UUID, int] | None = None
) -> dict[UUID, list[Agreed]]:
    """Invoice → its parts in the order they are due; those without instalments are missing.

    :param owed: what is owed on them by the journal, where the caller knows it.
    """
    found = {}
    parts = _parts(invoices)
    due = balances.due_on(parts) if owed is None else owed
    for invoice, its in parts.items():
        paid = instalments.paid(Money(due[invoice.pk], invoice.currency), its)
        found[invoice.pk] = [
            Agreed(part.amount, part.due_at, of_it) for part, of_it in zip(its, paid, strict=True)
        ]
    return found


def _parts(invoices: Sequence[Invoice]) -> dict[Invoice, list[Part]]:
    by_key = {invoice.pk: invoice for invoice in invoices}
    found: dict[Invoice, list[Part]] = {}
    for row in Instalment.objects.filter(invoice__in=by_key).order_by("invoice", "position"):
        invoice = by_key[row.invoice_id]
        part = Part(Money(row.amount_minor, invoice.currency), row.due_at)
        found.setdefault(invoice, []).append(part)
    return found
