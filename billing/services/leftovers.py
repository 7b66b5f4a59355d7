"""Credit that is left on the tab of a subscription that is over: no invoice will take it up.

It is given back by credit notes on the invoices that charged it: what is owed on them gets less,
and what was paid of them becomes the customer's credit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from billing.core import lifecycle
from billing.core.crediting import Request, Wish
from billing.core.errors import BillingError
from billing.core.invoicing import LineKind
from billing.core.money import Money
from billing.core.returning import Destination
from billing.models import CreditNote, Invoice, InvoiceLine, Subscription, bulk
from billing.models.credit_note import CreditReason
from billing.queries import refundable
from billing.services import credit_notes
from billing.services.credit_notes import Order

# How a line is taxed: the class of its rate, and whether its amount has the tax in it.
Taxed = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of an invoice is given back."""

    invoice: Invoice
    wishes: tuple[Wish, ...]


def give_back(subscription: Subscription, *, by: str, now: datetime) -> None:
    """Credit what is left of a subscription that is over, in a transaction of the caller's.

    The caller holds the lock on the customer. Where its invoices cannot take all of it, because
    a charge is under way or they were credited before, it waits as it did.
    """
    currency = subscription.plan_terms.currency
    waiting = InvoiceLine.objects.waiting().filter(customer=subscription.customer_id)
    rows = list(waiting.filter(currency=currency))
    left = _left(rows)
    if not left or any(amount.minor > 0 for amount in left.values()):
        return
    plans = list(_plans(subscription, left))
    if any(amount for amount in left.values()):
        return
    notes = [_issue(plan, by=by, now=now) for plan in plans]
    for row in rows:
        row.credit_note = notes[-1]
    bulk.update(rows, "credit_note")


def _left(rows: Iterable[InvoiceLine]) -> dict[Taxed, Money]:
    """What is left by how it is taxed; negative is credit."""
    found: dict[Taxed, Money] = {}
    for row in rows:
        taxed = (row.tax_class, row.is_tax_included)
        amount = row.amount - row.discount
        found[taxed] = found[taxed] + amount if taxed in found else amount
    return {taxed: amount for taxed, amount in found.items() if amount}


def _plans(subscription: Subscription, left: dict[Taxed, Money]) -> Iterable[_Plan]:
    """The newest invoices first, until nothing is left; `left` is used up.

    An invoice that credits lessened already may have less to give back than its lines say; it is
    passed over.
    """
    invoices = Invoice.objects.filter(
        subscription=subscription, status__in=credit_notes.CREDITABLE
    ).exclude(attempts__status__in=lifecycle.OPEN_ATTEMPTS)
    for invoice in invoices.select_related("customer__test_clock").order_by("-issued_at", "-pk"):
        rest = dict(left)
        wishes = tuple(_wishes(invoice, rest))
        if wishes and _is_possible(invoice, wishes):
            left.update(rest)
            yield _Plan(invoice, wishes)
        if not any(left.values()):
            return


def _is_possible(invoice: Invoice, wishes: tuple[Wish, ...]) -> bool:
    try:
        refundable.foreseen(invoice, Request(wishes=wishes), to=Destination.BALANCE)
    except BillingError:
        return False
    return True


def _wishes(invoice: Invoice, left: dict[Taxed, Money]) -> Iterable[Wish]:
    recurring = {
        str(row.pk): (row.tax_class, row.is_tax_included)
        for row in invoice.lines.filter(kind=LineKind.RECURRING)
    }
    for line in refundable.billed(invoice):
        taxed = recurring.get(line.key)
        if taxed is None or not left.get(taxed):
            continue
        is_included = taxed[1]
        most = line.gross_left if is_included else line.left
        part = min(most, -left[taxed])
        if part.minor > 0:
            left[taxed] += part
            yield Wish(line.key, gross=part) if is_included else Wish(line.key, net=part)


def _issue(plan: _Plan, *, by: str, now: datetime) -> CreditNote:
    order = Order(
        Request(wishes=plan.wishes),
        to=Destination.BALANCE,
        reason=CreditReason.RETURN,
        note="Unused time",
    )
    return credit_notes.issue_on(plan.invoice, order, by=by, now=now)
