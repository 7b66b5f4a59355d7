"""Small differences that were let go."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Case, F, Sum, When

from billing.core.money import Money
from billing.core.postings import ROUNDING, Side
from billing.models import Invoice, JournalLine

_SIGNED = Sum(Case(When(side=Side.DEBIT, then=F("amount_minor")), default=-F("amount_minor")))


def on(invoices: Sequence[Invoice]) -> dict[UUID, Money]:
    """Invoice → what was let go of it and is not taken back; those without are missing."""
    currencies = {invoice.pk: invoice.currency for invoice in invoices}
    lines = JournalLine.objects.filter(account=ROUNDING.code, invoice__in=currencies)
    sums = lines.values_list("invoice").annotate(minor=_SIGNED).order_by()
    return {pk: Money(minor, currencies[pk]) for pk, minor in sums if minor}
