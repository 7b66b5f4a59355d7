"""Balances: sums of journal lines, never stored."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Case, F, Sum, When

from billing.core.postings import RECEIVABLES, Side
from billing.models import Invoice, JournalLine
from customers.models import Customer

_SIGNED = Sum(Case(When(side=Side.DEBIT, then=F("amount_minor")), default=-F("amount_minor")))


def due_on(invoices: Iterable[Invoice]) -> dict[UUID, int]:
    """Invoice → what is still owed on it, in minor units of its currency."""
    pks = [invoice.pk for invoice in invoices]
    lines = JournalLine.objects.filter(account=RECEIVABLES.code, invoice__in=pks)
    owed = dict(lines.values_list("invoice").annotate(owed=_SIGNED).order_by())
    return {pk: owed.get(pk, 0) for pk in pks}


def owed_by(customer: Customer) -> dict[str, int]:
    """Currency → what the customer owes, in its minor units; settled currencies left out."""
    lines = JournalLine.objects.filter(account=RECEIVABLES.code, entry__customer=customer)
    sums = lines.values_list("currency").annotate(owed=_SIGNED).order_by("currency")
    return {currency: owed for currency, owed in sums if owed}
