"""What becomes of invoices when nothing is owed on them any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.core import lifecycle, postings
from billing.core.invoicing import LineKind
from billing.core.lifecycle import InvoiceStatus, SubscriptionStatus
from billing.models import CreditGrant, Invoice, Subscription
from billing.models.invoice import InvoicePurpose
from billing.queries import balances, instalments
from billing.services import announcing, credit, dunning, facts, journal
from billing.services.credit import Gift, Source
from billing.services.journal import Fact


def settle(invoices: Sequence[Invoice], *, now: datetime) -> None:
    """Mark as paid what is not owed any more, by the journal; in a transaction of the caller's.

    A subscription is in good standing again, dunning ends, and credit that was bought is there.
    Of an invoice in instalments whose due parts are paid, the next part is charged when it is due.
    """
    owed = balances.due_on(invoices)
    paid: list[Invoice] = []
    left: list[Invoice] = []
    for invoice in invoices:
        if invoice.status in lifecycle.COLLECTIBLE:
            (left if owed[invoice.pk] else paid).append(invoice)
    for invoice in paid:
        invoice.status = lifecycle.INVOICE.after(invoice.status, "pay")
        invoice.paid_at, invoice.next_charge_at = now, None
        invoice.version += 1
        invoice.save(update_fields=["status", "paid_at", "next_charge_at", "version"])
        if invoice.purpose != InvoicePurpose.SALE:
            _release_credit(invoice, now=now)
    announcing.stepped("pay", *paid, at=now)
    waiting = _until_next_part(left, now=now)
    for invoice in (*paid, *waiting):
        recover(invoice, now=now)
    dunning.recovered([*paid, *waiting], now=now)


def reopen(invoice: Invoice, *, now: datetime) -> None:
    """What had settled an invoice is undone: it is owed again, and charged when somebody says so.

    In a transaction of the caller's, who holds the lock on the invoice.

    :raises ConflictError: if the invoice is at an end: refunded, contested, canceled.
    """
    if invoice.status in lifecycle.COLLECTIBLE:
        return
    invoice.status = lifecycle.INVOICE.after(invoice.status, "reopen")
    invoice.paid_at, invoice.next_charge_at = None, None
    invoice.version += 1
    invoice.save(update_fields=["status", "paid_at", "next_charge_at", "version"])
    announcing.stepped("reopen", invoice, at=now)


def fall_past_due(invoice: Invoice, now: datetime) -> None:
    """The subscription that the invoice is for keeps its access for the grace period only."""
    active = _subscription_of(invoice, SubscriptionStatus.ACTIVE)
    if active is not None:
        active.status, active.past_due_at = SubscriptionStatus.PAST_DUE, now
        active.save(update_fields=["status", "past_due_at"])
        journal.post(facts.fell_past_due(active, at=now))


def recover(invoice: Invoice, *, now: datetime) -> None:
    """Back to good standing, once nothing that was declined is due any more."""
    if invoice.subscription_id is None:
        return
    declined = Invoice.objects.filter(
        subscription=invoice.subscription_id, status=InvoiceStatus.CHARGED_WITH_ERROR
    )
    if any(due for _, due in instalments.due_on(list(declined), now=now)):
        return
    past_due = _subscription_of(invoice, SubscriptionStatus.PAST_DUE)
    if past_due is not None:
        past_due.status, past_due.past_due_at = SubscriptionStatus.ACTIVE, None
        past_due.save(update_fields=["status", "past_due_at"])
        journal.post(facts.recovered(past_due, at=now))


def _subscription_of(invoice: Invoice, status: SubscriptionStatus) -> Subscription | None:
    """The subscription that the invoice is for, if it stands so."""
    if invoice.subscription_id is None:
        return None
    rows = Subscription.objects.filter(pk=invoice.subscription_id, status=status)
    return rows.select_related("plan_version").first()


def _until_next_part(invoices: Sequence[Invoice], *, now: datetime) -> list[Invoice]:
    """Those in instalments of which nothing is due at the moment, to be charged when it is.

    A part that fell due while the one before was being charged is charged now.
    """
    parts = instalments.agreed(invoices) if invoices else {}
    split = [invoice for invoice in invoices if invoice.pk in parts]
    waiting = []
    for invoice, due in instalments.due_on(split, now=now):
        if not due:
            invoice.next_charge_at = instalments.next_part(invoice).due_at
            waiting.append(invoice)
        elif invoice.status == InvoiceStatus.PENDING and invoice.next_charge_at is None:
            invoice.next_charge_at = now
        invoice.version += 1
        invoice.save(update_fields=["next_charge_at", "version"])
    return waiting


def _release_credit(invoice: Invoice, *, now: datetime) -> None:
    """The credit that is paid for; not a second time where a payment was undone meanwhile."""
    if CreditGrant.objects.filter(invoice=invoice).exists():
        return
    expires_at = (
        invoice.lines.filter(kind=LineKind.CREDIT, period_end__gt=now)
        .values_list("period_end", flat=True)
        .first()
    )
    grant = credit.store(
        invoice.customer_id,
        invoice.net,
        Gift(reason=f"Bought by {invoice.number}", expires_at=expires_at),
        source=Source(invoice_id=invoice.pk),
        now=now,
    )
    journal.post(
        Fact(
            kind="CREDIT_SOLD",
            key=f"invoice:{invoice.pk}:credit_sold",
            customer_id=invoice.customer_id,
            occurred_at=now,
            context={
                "invoice": invoice.number,
                "grant": str(grant.pk),
                "amount": str(grant.amount),
            },
            postings=postings.credit_sold(grant.amount),
            source_kind="credit_grant",
            source_id=grant.pk,
        )
    )
