"""Getting paid: write down what shall be charged, call the gateway, write down what happened.

No transaction is open while a gateway is called. An attempt is sent by whoever holds its lock;
one that got no answer stays UNKNOWN and is sent again under the same key, never under another.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from billing.core import lifecycle
from billing.core.errors import ConflictError
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.core.money import Money
from billing.gateways.base import (
    Charge,
    ChargeRequest,
    ChargeStatus,
    Decline,
    GatewayRejectedError,
    GatewayUnavailableError,
    GatewayUnreachableError,
)
from billing.models import GatewayCustomer, Invoice, PaymentAttempt, bulk
from billing.queries import instalments
from billing.services import calling, choosing, invoices, locks, outcomes, sending
from billing.services.calling import Question
from billing.services.choosing import Chosen
from customers.models import BillingDetails, Customer, TestClock

logger = logging.getLogger(__name__)

# Who has an invoice charged, where no person does.
SCHEDULE: Final = "retry schedule"
NEW_METHOD: Final = "new payment method"


@transaction.atomic
def charge(
    invoice_id: UUID, *, by: str, now: datetime, payment_method_id: UUID | None = None
) -> PaymentAttempt | None:
    """Finalize an invoice, if it is a draft, and write down that what is due shall be charged.

    Of an invoice in instalments that is what is due by now, or else the next of them. None: the
    draft was over nothing, or credit has settled it.

    :param payment_method_id: instead of the customer's default.
    :raises ConflictError: if it is not owed, a charge for it is under way, or no gateway may be
        asked (`no_gateway`).
    :raises InvalidError: if there is no payment method to charge.
    """
    invoice = locks.invoice(invoice_id)
    present = invoice.customer.lives_at(now)
    if invoice.status == InvoiceStatus.DRAFT:
        invoices.finalize([invoice], now=present)
        if invoice.status == InvoiceStatus.PAID:
            return None
    if invoice.status not in lifecycle.COLLECTIBLE:
        raise ConflictError(
            f"There is nothing to charge: the invoice is {invoice.status.lower()}.",
            code="nothing_to_charge",
        )
    chosen = choosing.one(invoice, payment_method_id, now=now)
    if invoice.attempts.open().exists():
        raise ConflictError("A charge for this invoice is under way.", code="charge_under_way")
    attempt = _attempt(invoice, _asked(invoice, now=present), chosen, by=by, now=present)
    attempt.save(force_insert=True)
    _unschedule([invoice])
    return attempt


def open_attempts(
    due: Sequence[tuple[Invoice, Money]], *, by: str, now: datetime
) -> list[PaymentAttempt]:
    """Write down that invoices shall be charged to their customers' default methods, or the next.

    In a transaction of the caller's, who holds the locks. Invoices on which nothing is due,
    without a method, or with a charge under way are left as they are; where no gateway may be
    asked at the moment, it is tried again in an hour.
    """
    wanted = [(invoice, amount) for invoice, amount in due if amount]
    under_way = set(
        PaymentAttempt.objects.open()
        .filter(invoice__in=[invoice for invoice, _ in wanted])
        .values_list("invoice_id", flat=True)
    )
    free = [(invoice, amount) for invoice, amount in wanted if invoice.pk not in under_way]
    found = choosing.many([invoice for invoice, _ in free], now=now)
    chosen = [(invoice, amount) for invoice, amount in free if invoice.pk in found]
    attempts = [
        _attempt(invoice, amount, found[invoice.pk], by=by, now=now) for invoice, amount in chosen
    ]
    bulk.insert(attempts)
    _unschedule([invoice for invoice, _ in chosen if invoice.next_charge_at is not None])
    return attempts


@transaction.atomic(durable=True)
def retry_due(*, now: datetime, clock: TestClock | None = None, limit: int = 500) -> list[UUID]:
    """Open attempts for invoices whose next charge is due; the attempts' ids."""
    due = Invoice.objects.due_for_charge(now, clock).order_by("next_charge_at")[:limit]
    attempts = []
    for invoice_id in list(due.values_list("pk", flat=True)):
        invoice = locks.invoice(invoice_id)
        if invoice.status in lifecycle.COLLECTIBLE and invoice.next_charge_at is not None:
            _unschedule([invoice])
            attempts += open_attempts(instalments.due_on([invoice], now=now), by=SCHEDULE, now=now)
    return [attempt.pk for attempt in attempts]


def open_for_customer(customer_id: UUID, *, now: datetime) -> list[UUID]:
    """Charge at once all that a customer owes by now, because they have a new payment method.

    In a transaction of the caller's, who holds the lock on the customer.
    """
    owed = list(Invoice.objects.collectible().filter(customer=customer_id).order_by("issued_at"))
    due = instalments.due_on(owed, now=now)
    return [attempt.pk for attempt in open_attempts(due, by=NEW_METHOD, now=now)]


def unsent_of(customer_id: UUID) -> list[UUID]:
    """The attempts of a customer that wait to be collected."""
    attempts = PaymentAttempt.objects.unsent().filter(invoice__customer=customer_id)
    return list(attempts.order_by("created_at").values_list("pk", flat=True))


def collect(attempt_id: UUID, *, now: datetime) -> PaymentAttempt | None:
    """Send an attempt to its gateway and settle it. None: somebody else is at it.

    Where the gateway was not reached and another one may be tried, that is collected instead.

    :raises RuntimeError: if called inside a transaction.
    """
    attempt = _collect(attempt_id, now=now)
    if attempt is None or attempt.status != AttemptStatus.ABANDONED:
        return attempt
    successor = attempt.invoice.attempts.unsent().first()
    return attempt if successor is None else collect(successor.pk, now=now)


@transaction.atomic(durable=True)
def settle(attempt_id: UUID, *, outcome: Charge, now: datetime) -> PaymentAttempt:
    """Write down what the gateway said. Whoever hears first wins; the second changes nothing.

    But for one thing: that money was taken after all is never ignored.

    :param now: when it was heard; the customer's own present is what counts.
    """
    attempt = locks.attempt(attempt_id)
    is_late = outcome.status == ChargeStatus.SUCCEEDED and attempt.status != AttemptStatus.SUCCEEDED
    if attempt.status in lifecycle.OPEN_ATTEMPTS or is_late:
        outcomes.apply(attempt, outcome, heard_at=now)
    return attempt


def question(attempt: PaymentAttempt, verb: str) -> Question:
    """What is asked of an attempt's gateway about it."""
    is_simulated = attempt.invoice.customer.test_clock_id is not None
    return Question(attempt.gateway, verb, str(attempt.pk), is_simulated)


def _collect(attempt_id: UUID, *, now: datetime) -> PaymentAttempt | None:
    with locks.alone("attempt", attempt_id) as is_ours:
        if not is_ours:
            return None
        attempt, is_repeated = _begin_sending(attempt_id, now=now)
        if attempt.status != AttemptStatus.SENDING:
            return attempt
        request = _request_for(attempt, is_repeated=is_repeated)
        try:
            outcome = calling.ask(
                question(attempt, "charge"), lambda it: it.charge(request), now=now
            )
        except GatewayUnavailableError as error:
            logger.warning("No answer from %s on attempt %s.", attempt.gateway, attempt.pk)
            is_unheard = isinstance(error, GatewayUnreachableError) and not is_repeated
            return _hold(attempt_id, now=now) if is_unheard else _lose_sight(attempt_id, now=now)
        except GatewayRejectedError as error:
            outcome = Charge(
                reference=str(attempt_id),
                external_id="",
                status=ChargeStatus.DECLINED,
                decline=Decline("rejected_by_gateway", str(error)[:500], is_hard=True),
            )
        return settle(attempt_id, outcome=outcome, now=now)


@transaction.atomic(durable=True)
def _begin_sending(attempt_id: UUID, *, now: datetime) -> tuple[PaymentAttempt, bool]:
    """The attempt, and whether it may have reached the gateway before."""
    attempt = locks.attempt(attempt_id)
    return attempt, sending.begin(attempt, now=now)


@transaction.atomic(durable=True)
def _lose_sight(attempt_id: UUID, *, now: datetime) -> PaymentAttempt:
    attempt = locks.attempt(attempt_id)
    sending.lose_sight(attempt, now=now)
    return attempt


@transaction.atomic(durable=True)
def _hold(attempt_id: UUID, *, now: datetime) -> PaymentAttempt:
    """It was not heard: it waits, or gives way to another gateway's method."""
    attempt = locks.attempt(attempt_id)
    if not sending.hold(attempt, now=now):
        return attempt
    chosen = choosing.instead(attempt, now=now)
    if chosen is not None:
        present = attempt.invoice.customer.lives_at(now)
        outcomes.abandon(attempt, choosing.UNREACHED, now=present)
        successor = _attempt(
            attempt.invoice, attempt.amount, chosen, by=attempt.created_by, now=present
        )
        successor.save(force_insert=True)
    return attempt


def _request_for(attempt: PaymentAttempt, *, is_repeated: bool) -> ChargeRequest:
    customer = attempt.invoice.customer
    known_as = GatewayCustomer.objects.get(customer=customer, gateway=attempt.gateway)
    return ChargeRequest(
        reference=str(attempt.pk),
        amount=attempt.amount,
        customer_external_id=known_as.external_id,
        method_external_id=attempt.payment_method.external_id,
        method_kind=attempt.payment_method.kind,
        is_repeated=is_repeated,
        receipt_email=_receipt_email(customer),
    )


def _receipt_email(customer: Customer) -> str:
    """Where the gateway may mail a receipt to: only what the installation has allowed."""
    if not settings.GATEWAY_RECEIPTS:
        return ""
    details = BillingDetails.objects.filter(customer=customer)
    return details.values_list("email", flat=True).first() or ""


def _asked(invoice: Invoice, *, now: datetime) -> Money:
    """What a person who has an invoice charged pays: what is due, or the next instalment."""
    [(_, due)] = instalments.due_on([invoice], now=now)
    return due or instalments.next_part(invoice).amount


def _attempt(
    invoice: Invoice, amount: Money, chosen: Chosen, *, by: str, now: datetime
) -> PaymentAttempt:
    return PaymentAttempt(
        invoice=invoice,
        payment_method=chosen.method,
        gateway=chosen.method.gateway,
        route_reason=chosen.reason[:255],
        amount_minor=amount.minor,
        currency=amount.currency,
        created_by=by,
        created_at=now,
    )


def _unschedule(scheduled: Sequence[Invoice]) -> None:
    """An attempt is open: the schedule has done its part."""
    for invoice in scheduled:
        invoice.next_charge_at = None
    Invoice.objects.filter(pk__in=[invoice.pk for invoice in scheduled]).update(next_charge_at=None)
