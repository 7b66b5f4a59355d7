"""Balances: sums of journal lines, or what the `balances` processor made of them, never stale."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db.models import Case, F, Sum, When

from billing.core.postings import RECEIVABLES, Account, Side
from billing.core.processors.balances import PROCESSOR as BALANCES
from billing.models import Invoice, JournalLine
from billing.queries import projections
from customers.models import Customer

_BY_CREDIT: Final = ("CREDIT_APPLIED", "CREDIT_TAKEN_OFF", "PREPAID_USAGE_INVOICED")
_SIGNED = Sum(Case(When(side=Side.DEBIT, then=F("amount_minor")), default=-F("amount_minor")))


def due_on(invoices: Iterable[Invoice]) -> dict[UUID, int]:
    """Invoice → what is still owed on it, in minor units of its currency."""
    pks = [invoice.pk for invoice in invoices]
    lines = JournalLine.objects.filter(account=RECEIVABLES.code, invoice__in=pks)
    owed = dict(lines.values_list("invoice").annotate(owed=_SIGNED).order_by())
    return {pk: owed.get(pk, 0) for pk in pks}


def credit_on(invoices: Iterable[Invoice]) -> dict[UUID, int]:
    """Invoice → what credit settled of it, prepaid usage included, in minor units."""
    pks = [invoice.pk for invoice in invoices]
    lines = JournalLine.objects.filter(
        account=RECEIVABLES.code, invoice__in=pks, entry__kind__in=_BY_CREDIT
    )
    sums = lines.values_list("invoice").annotate(owed=_SIGNED).order_by()
    return {pk: -owed for pk, owed in sums if pk is not None}


def owed_by(customer: Customer) -> dict[str, int]:
    """Currency → what the customer owes, in its minor units; settled currencies left out."""
    return held(customer, RECEIVABLES)


def held(customer: Customer, account: Account) -> dict[str, int]:
    """Currency → what an account holds of a customer's: debits less credits, none that is zero."""
    stored = projections.of(BALANCES.name, customer)
    by_place = {tuple(key.split(":", 1)): minor for key, minor in stored.items()}
    return {
        currency: minor
        for (currency, code), minor in sorted(by_place.items())
        if code == account.code
    }
