"""Money that came another way than through a gateway, recorded by an operator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from billing.core import lifecycle, references
from billing.core.errors import ConflictError, InvalidError
from billing.core.lifecycle import ActionKind, InvoiceStatus
from billing.core.money import Money, total
from billing.gateways import registry
from billing.gateways.base import Decline
from billing.models import Invoice, Payment, PaymentAttempt, Seller
from billing.queries import balances
from billing.services import allocations, differences, journal, locks, outcomes, settling
from billing.services.credit import Gift
from customers.models import Customer

LARGEST_MINOR: Final = 2**53
ARRIVED: Final = Decline("transfer_arrived", "The transfer has arrived.")
_WAY: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Incoming:
    """How money came, and what it is meant for.

    :param gateway: the way: `bank_transfer`, `cash`, `cheque`, …
    :param reference: what the bank says; empty where nothing is said.
    :param received_at: None for now.
    :param invoices: what it settles, each with how much of it, or as much as it needs; None for
        the oldest first, and nothing for credit alone.
    """

    gateway: str
    reference: str = ""
    received_at: datetime | None = None
    invoices: Sequence[tuple[UUID, Money | None]] | None = None


@transaction.atomic
def record(
    customer_id: UUID,
    amount: Money,
    incoming: Incoming,
    *,
    by: str,
    now: datetime,
    over: Gift = allocations.OVER,
) -> Payment:
    """Enter money that a customer paid.

    What is over is their credit; what is missing stays owed, unless it is so little that the
    seller lets it go. Where no invoices are named, those that are due first are settled first.

    :raises NotFoundError: if there is no such customer.
    :raises InvalidError: if the amount, the way or the time makes no sense, or an invoice is
        another customer's or in another currency.
    :raises ConflictError: if the reference was recorded before (`duplicate_payment`), or an
        invoice is not owed.
    """
    customer = locks.customer(customer_id)
    present = customer.lives_at(now)
    received_at = incoming.received_at or present
    _require_sense(amount, incoming.gateway, received_at, present)
    _require_new(incoming)
    parts = _parts(customer, amount, incoming.invoices)
    payment = Payment(
        customer=customer,
        gateway=incoming.gateway,
        amount_minor=amount.minor,
        currency=amount.currency,
        reference=incoming.reference,
        received_at=received_at,
        created_by=by,
    )
    allocations.receive(
        payment,
        parts,
        context={"received_at": received_at.isoformat(), "by": by},
        now=present,
        over=replace(over, by=by),
    )
    _let_go([invoice for invoice, _ in parts], payment, now=present)
    _await_no_longer([invoice for invoice, _ in parts], now=present)
    return payment


def payer_of(reference: str, currency: str) -> tuple[UUID, list[Invoice]]:
    """Whose open invoices a transfer's text names.

    :raises InvalidError: with code `no_match` if it names none, or those of several customers.
    """
    owed = Invoice.objects.collectible().filter(currency=currency)
    rows = owed.named_in(references.bare(reference)).order_by("due_at", "sequence", "pk")
    found = {str(invoice.number): invoice for invoice in rows}
    invoices = [found[number] for number in references.named(reference, found)]
    if len({invoice.customer_id for invoice in invoices}) != 1:
        sentence = "Name the customer: the reference names no open invoice, or those of several."
        raise InvalidError(sentence, code="no_match", errors={"reference": [sentence]})
    return invoices[0].customer_id, invoices


def _require_sense(amount: Money, way: str, received_at: datetime, present: datetime) -> None:
    if not 0 < amount.minor <= LARGEST_MINOR:
        raise InvalidError("A payment is over more than nothing.", code="invalid_amount")
    if not _WAY.fullmatch(way):
        sentence = "A word in lower case, like “bank_transfer”."
        raise InvalidError(sentence, code="invalid_gateway", errors={"gateway": [sentence]})
    vendor = registry.offered().get(way)
    if vendor is not None and not vendor.capabilities.is_told_by_hand:
        sentence = f"What {way} takes, it tells us itself."
        raise InvalidError(sentence, code="invalid_gateway", errors={"gateway": [sentence]})
    if received_at > present:
        sentence = "Money that is still to come is not recorded."
        raise InvalidError(sentence, code="in_the_future", errors={"received_at": [sentence]})


def _require_new(incoming: Incoming) -> None:
    if not incoming.reference:
        return
    locks.name(f"payment:{incoming.gateway}:{incoming.reference}")
    known = Payment.objects.filter(
        gateway=incoming.gateway, reference=incoming.reference, reversed_at=None
    )
    if known.exists():
        raise ConflictError(
            f"A payment by {incoming.gateway} with the reference {incoming.reference!r} is "
            "recorded already.",
            code="duplicate_payment",
        )


def _parts(
    customer: Customer, amount: Money, named: Sequence[tuple[UUID, Money | None]] | None
) -> list[tuple[Invoice, Money]]:
    """What of the amount goes on which invoice."""
    if named is None:
        return _oldest_first(customer, amount)
    invoices = [payable(customer, invoice_id, amount.currency) for invoice_id, _ in named]
    if len({invoice.pk for invoice in invoices}) != len(invoices):
        raise InvalidError("An invoice is named twice.", code="invoice_named_twice")
    owed = balances.due_on(invoices)
    left, parts = amount, []
    for invoice, (_, part) in zip(invoices, named, strict=True):
        wanted = part or min(Money(owed[invoice.pk], amount.currency), left)
        if wanted or part is not None:  # what is named without an amount gets what there is
            parts.append((invoice, wanted))
        left -= wanted
    if any(part.minor <= 0 for _, part in parts) or left.minor < 0:
        raise InvalidError(
            f"{total((part for _, part in parts), amount.currency)} is named for invoices, of "
            f"{amount}: each gets something, and together not more than was paid.",
            code="invalid_allocation",
        )
    return parts


def _oldest_first(customer: Customer, amount: Money) -> list[tuple[Invoice, Money]]:
    rows = Invoice.objects.collectible().filter(customer=customer, currency=amount.currency)
    invoices = list(rows.order_by("due_at", "issued_at", "sequence", "pk"))
    owed = balances.due_on(invoices)
    left, parts = amount, []
    for invoice in invoices:
        part = min(Money(owed[invoice.pk], amount.currency), left)
        if part:
            parts.append((invoice, part))
            left -= part
    return parts


def payable(customer: Customer, invoice_id: UUID, currency: str) -> Invoice:
    """An invoice that money may settle. Its customer is locked already."""
    invoice = Invoice.objects.filter(pk=invoice_id, customer=customer).first()
    if invoice is None:
        sentence = f"The customer has no invoice {invoice_id}."
        raise InvalidError(sentence, code="no_such_invoice", errors={"invoices": [sentence]})
    if invoice.currency != currency:
        sentence = f"Invoice {invoice} is in {invoice.currency}, the payment in {currency}."
        raise InvalidError(sentence, code="currency_mismatch", errors={"invoices": [sentence]})
    if not invoice.is_finalized:
        raise ConflictError(
            "A draft is not owed yet: finalize the invoice first.", code="not_finalized"
        )
    if invoice.status not in lifecycle.COLLECTIBLE:
        words = invoice.status.lower().replace("_", " ")
        raise ConflictError(
            f"Nothing is owed on {invoice.number}: it is {words}.", code="nothing_owed"
        )
    return invoice


def _await_no_longer(invoices: Sequence[Invoice], *, now: datetime) -> None:
    """What was to be transferred for them has arrived."""
    rows = PaymentAttempt.objects.open().filter(
        invoice__in=[row.pk for row in invoices if row.status == InvoiceStatus.PAID],
        action__kind=ActionKind.TRANSFER,
    )
    for attempt in rows:
        outcomes.abandon(attempt, ARRIVED, now=now)


def _let_go(invoices: Sequence[Invoice], payment: Payment, *, now: datetime) -> None:
    """Let a difference go that is as small as the seller allows."""
    owed = balances.due_on(invoices)
    sellers = Seller.objects.in_bulk([row.issuer_id for row in invoices if row.issuer_id])
    small = [
        invoice
        for invoice in invoices
        if invoice.issuer_id is not None
        and 0 < owed[invoice.pk] <= sellers[invoice.issuer_id].tolerance_minor
    ]
    journal.post(
        *(
            differences.let_go(invoice, Money(owed[invoice.pk], invoice.currency), payment, now=now)
            for invoice in small
        )
    )
    settling.settle(small, now=now)
