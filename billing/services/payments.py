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

from django.db import transaction
from django.db.models import Max

from billing.core import lifecycle
from billing.core.dunning import DunningStatus
from billing.core.errors import ConflictError, InvalidError
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.core.money import Money
from billing.gateways import registry
from billing.gateways.base import (
    Charge,
    ChargeRequest,
    ChargeStatus,
    Decline,
    GatewayRejectedError,
    GatewayUnavailableError,
)
from billing.models import (
    GatewayCustomer,
    Invoice,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    bulk,
)
from billing.queries import instalments
from billing.services import allocations, dunning, invoices, journal, locks, settling
from billing.services import instalments as agreed
from customers.models import TestClock

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
    :raises ConflictError: if it is not owed, or a charge for it is under way.
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
    methods = PaymentMethod.objects.usable().filter(customer=invoice.customer_id)
    chosen = {"is_default": True} if payment_method_id is None else {"pk": payment_method_id}
    method = methods.filter(**chosen).first()
    if method is None:
        raise InvalidError("There is no such payment method.", code="no_payment_method")
    if invoice.attempts.filter(status__in=lifecycle.OPEN_ATTEMPTS).exists():
        raise ConflictError("A charge for this invoice is under way.", code="charge_under_way")
    attempt = _attempt(invoice, _asked(invoice, now=present), method, by=by, now=present)
    attempt.save(force_insert=True)
    _unschedule([invoice])
    return attempt


def open_attempts(
    due: Sequence[tuple[Invoice, Money]], *, by: str, now: datetime
) -> list[PaymentAttempt]:
    """Write down that invoices shall be charged to their customers' default methods.

    In a transaction of the caller's, who holds the locks. Invoices on which nothing is due,
    without a method, or with a charge under way are left as they are.
    """
    methods = {
        method.customer_id: method
        for method in PaymentMethod.objects.usable().filter(
            is_default=True, customer__in=[invoice.customer_id for invoice, _ in due]
        )
    }
    under_way = set(
        PaymentAttempt.objects.filter(
            invoice__in=[invoice for invoice, _ in due], status__in=lifecycle.OPEN_ATTEMPTS
        ).values_list("invoice_id", flat=True)
    )
    chosen = [
        (invoice, amount)
        for invoice, amount in due
        if amount and invoice.customer_id in methods and invoice.pk not in under_way
    ]
    attempts = [
        _attempt(invoice, amount, methods[invoice.customer_id], by=by, now=now)
        for invoice, amount in chosen
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
            attempts += open_attempts(instalments.due_on([invoice], now=now), by=SCHEDULE, now=now)
            _unschedule([invoice])
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

    :raises RuntimeError: if called inside a transaction.
    """
    with locks.alone("attempt", attempt_id) as is_ours:
        if not is_ours:
            return None
        attempt, is_repeated = _begin_sending(attempt_id)
        if attempt.status != AttemptStatus.SENDING:
            return attempt
        try:
            outcome = registry.get(attempt.gateway).charge(
                _request_for(attempt, is_repeated=is_repeated)
            )
        except GatewayUnavailableError:
            logger.warning("No answer from %s on attempt %s.", attempt.gateway, attempt.pk)
            return _lose_sight(attempt_id)
        except GatewayRejectedError as error:
            outcome = Charge(
                reference=str(attempt_id),
                external_id="",
                status=ChargeStatus.DECLINED,
                decline=Decline("rejected_by_gateway", str(error)[:500], is_hard=True),
            )
        return settle(attempt_id, outcome=outcome, now=now)


@transaction.atomic(durable=True)
def settle(attempt_id: UUID, *, outcome: Charge, now: datetime) -> PaymentAttempt:
    """Write down what the gateway said. Whoever hears first wins; the second changes nothing.

    :param now: when it was heard; the customer's own present is what counts.
    """
    attempt = locks.attempt(attempt_id)
    if attempt.status not in lifecycle.OPEN_ATTEMPTS:
        return attempt
    present = attempt.invoice.customer.lives_at(now)
    attempt.external_id = outcome.external_id or attempt.external_id
    _OUTCOMES[outcome.status](attempt, outcome, present)
    attempt.save()
    return attempt


@transaction.atomic(durable=True)
def _begin_sending(attempt_id: UUID) -> tuple[PaymentAttempt, bool]:
    """The attempt, and whether it may have reached the gateway before."""
    attempt = locks.attempt(attempt_id)
    is_repeated = attempt.status != AttemptStatus.CREATED
    if attempt.status in lifecycle.UNSENT_ATTEMPTS:
        attempt.status = lifecycle.ATTEMPT.after(attempt.status, "send")
        attempt.save(update_fields=["status"])
    return attempt, is_repeated


@transaction.atomic(durable=True)
def _lose_sight(attempt_id: UUID) -> PaymentAttempt:
    attempt = locks.attempt(attempt_id)
    if attempt.status == AttemptStatus.SENDING:
        attempt.status = lifecycle.ATTEMPT.after(attempt.status, "lose_sight")
        attempt.save(update_fields=["status"])
    return attempt


def _request_for(attempt: PaymentAttempt, *, is_repeated: bool) -> ChargeRequest:
    known_as = GatewayCustomer.objects.get(
        customer=attempt.invoice.customer_id, gateway=attempt.gateway
    )
    return ChargeRequest(
        reference=str(attempt.pk),
        amount=attempt.amount,
        customer_external_id=known_as.external_id,
        method_external_id=attempt.payment_method.external_id,
        is_repeated=is_repeated,
    )


def _asked(invoice: Invoice, *, now: datetime) -> Money:
    """What a person who has an invoice charged pays: what is due, or the next instalment."""
    [(_, due)] = instalments.due_on([invoice], now=now)
    return due or instalments.next_part(invoice).amount


def _attempt(
    invoice: Invoice, amount: Money, method: PaymentMethod, *, by: str, now: datetime
) -> PaymentAttempt:
    return PaymentAttempt(
        invoice=invoice,
        payment_method=method,
        gateway=method.gateway,
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


def _succeed(attempt: PaymentAttempt, _outcome: Charge, now: datetime) -> None:
    invoice = attempt.invoice
    attempt.status = lifecycle.ATTEMPT.after(attempt.status, "succeed")
    attempt.settled_at = now
    payment = Payment(
        customer_id=invoice.customer_id,
        gateway=attempt.gateway,
        attempt=attempt,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        received_at=now,
        created_by=attempt.created_by,
    )
    allocations.receive(
        payment,
        [(invoice, attempt.amount)],
        context={
            "attempt": str(attempt.pk),
            "external_id": attempt.external_id,
            "method": str(attempt.payment_method_id),
            "method_kind": attempt.payment_method.kind,
            "charged_by": attempt.created_by,
        },
        now=now,
    )


def _process(attempt: PaymentAttempt, _outcome: Charge, _now: datetime) -> None:
    attempt.status = lifecycle.ATTEMPT.after(attempt.status, "process")


def _decline(attempt: PaymentAttempt, outcome: Charge, now: datetime) -> None:
    invoice = attempt.invoice
    reason = outcome.decline or Decline("declined", "The payment was declined.")
    attempt.status = lifecycle.ATTEMPT.after(attempt.status, "fail")
    attempt.settled_at = now
    attempt.decline_code = reason.code[:64]
    attempt.decline_message = reason.message[:500]
    attempt.is_hard_decline = reason.is_hard
    is_owed = invoice.status in lifecycle.COLLECTIBLE  # else it was paid another way meanwhile
    if is_owed:
        _put_in_error(invoice, attempt, now)
    journal.post(
        journal.Fact(
            kind="PAYMENT_DECLINED",
            key=f"attempt:{attempt.pk}:declined",
            customer_id=invoice.customer_id,
            occurred_at=now,
            context={
                "invoice": invoice.number,
                "gateway": attempt.gateway,
                "code": reason.code,
                "amount": str(attempt.amount),
                "next_charge_at": (
                    invoice.next_charge_at.isoformat() if invoice.next_charge_at else None
                ),
            },
            source_kind="invoice",
            source_id=invoice.pk,
        )
    )
    if is_owed:
        settling.fall_past_due(invoice, now)


def _put_in_error(invoice: Invoice, attempt: PaymentAttempt, now: datetime) -> None:
    """What was declined is dunned; what recovered before was another instalment."""
    failed = invoice.attempts.filter(
        status=AttemptStatus.FAILED, payment_method=attempt.payment_method_id
    )
    recovered = invoice.dunning_runs.filter(status=DunningStatus.RECOVERED)
    recovered_at = recovered.aggregate(at=Max("ended_at"))["at"]
    if recovered_at is not None:
        failed = failed.filter(settled_at__gt=recovered_at)
    invoice.status = lifecycle.INVOICE.after(invoice.status, "fail")
    dunned_at = dunning.failed(
        invoice, is_hard=attempt.is_hard_decline, failures=failed.count() + 1, now=now
    )
    invoice.next_charge_at = dunned_at
    if not attempt.is_hard_decline:
        invoice.next_charge_at = agreed.next_charge(invoice, dunned_at, now=now)
    invoice.version += 1
    invoice.save(update_fields=["status", "next_charge_at", "version"])


_OUTCOMES: Final = {
    ChargeStatus.SUCCEEDED: _succeed,
    ChargeStatus.PROCESSING: _process,
    ChargeStatus.DECLINED: _decline,
}
