"""Money that goes back: written down, sent to the gateway it came by, and settled.

As with charges, no transaction is open while a gateway is called; a refund that got no answer
stays UNKNOWN and is sent again under the same key, never under another.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core import lifecycle, postings, returning
from billing.core.crediting import WHOLE, Request
from billing.core.errors import ConflictError, InvalidError
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.core.money import Money
from billing.core.returning import Destination
from billing.gateways import base
from billing.gateways.base import (
    ChargeStatus,
    Decline,
    GatewayRejectedError,
    GatewayUnavailableError,
    GatewayUnreachableError,
    RefundRequest,
)
from billing.models import Invoice, Payment, Refund
from billing.models.credit import DrawKind
from billing.models.credit_note import CreditReason
from billing.queries import refundable
from billing.services import (
    announcing,
    calling,
    credit_notes,
    drawing,
    journal,
    locks,
    refund_outcomes,
    sending,
)
from billing.services.calling import Question
from billing.services.credit_notes import Order
from billing.services.drawing import Purpose

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks for a refund, and why.

    :param is_customer: then only within the refund period, and only of the whole.
    :param expected_version: of the invoice, as the caller last saw it.
    """

    by: str
    reason: str = ""
    is_customer: bool = False
    expected_version: int | None = None


@transaction.atomic
def of_invoice(invoice_id: UUID, amount: Money | None, ask: Ask, *, now: datetime) -> list[Refund]:
    """Refund what was paid of an invoice, by a credit note over it; the refunds to collect.

    It goes back by the payments it came by, newest first; what cannot becomes credit.

    :param amount: with tax; None for all that is left.
    :raises NotFoundError: if there is no such invoice.
    :raises ConflictError: if it is not paid, so much is not left, or the customer is too late.
    """
    invoice = locks.invoice(invoice_id)
    if ask.expected_version is not None and invoice.version != ask.expected_version:
        raise ConflictError("It was changed by someone else.", code="version_mismatch")
    present = invoice.customer.lives_at(now)
    _require_paid(invoice)
    if ask.is_customer:
        _require_customers_right(invoice, amount, now=present)
    order = _order(amount, ask.reason)
    document = credit_notes.issue_on(invoice, order, by=ask.by, now=present)
    return list(document.refunds.order_by("pk"))


@transaction.atomic
def of_payment(payment_id: UUID, amount: Money | None, ask: Ask, *, now: datetime) -> list[Refund]:
    """Refund a payment: what of it is credit that is not used, then what it settled.

    :param amount: None for all that is left.
    :raises NotFoundError: if there is no such payment.
    :raises ConflictError: if nothing, or not so much, can go back.
    """
    payment = locks.payment(payment_id)
    present = payment.customer.lives_at(now)
    left = Money(refundable.left_of([payment])[payment.pk], payment.currency)
    if not left:
        raise ConflictError("Nothing of this payment can go back.", code="nothing_to_refund")
    wanted = left if amount is None else amount
    if wanted < Money(1, payment.currency):
        raise InvalidError("An amount is more than nothing.", code="invalid_amount")
    if left < wanted:
        raise ConflictError(f"Only {left} can go back.", code="above_what_is_left")
    refunds = _of_credit(payment, wanted, ask, now=present)
    missing = wanted.minor - sum(refund.amount_minor for refund in refunds)
    refunds += _of_settled(payment, Money(missing, payment.currency), ask, now=present)
    gone = Money(sum(refund.amount_minor for refund in refunds), payment.currency)
    if not gone or (amount is not None and gone != wanted):
        raise ConflictError(f"Only {gone} can go back.", code="above_what_is_left")
    return refunds


def collect(refund_id: UUID, *, now: datetime) -> Refund | None:
    """Send a refund to its gateway and settle it. None: somebody else is at it.

    What did not come through a gateway is left as it is: a person pays it out.

    :raises RuntimeError: if called inside a transaction.
    """
    with locks.alone("refund", refund_id) as is_ours:
        if not is_ours:
            return None
        refund, is_repeated = _begin_sending(refund_id, now=now)
        attempt = refund.payment.attempt
        if refund.status != AttemptStatus.SENDING or attempt is None:
            return refund
        request = RefundRequest(
            reference=str(refund.pk),
            charge_external_id=attempt.external_id,
            amount=refund.amount,
            is_repeated=is_repeated,
        )
        try:
            outcome = calling.ask(
                question(refund, attempt.gateway, "refund"),
                lambda it: it.refund(request),
                now=now,
            )
        except GatewayUnavailableError as error:
            logger.warning("No answer from %s on refund %s.", attempt.gateway, refund.pk)
            is_unheard = isinstance(error, GatewayUnreachableError) and not is_repeated
            return _put_off(refund_id, is_unheard=is_unheard, now=now)
        except GatewayRejectedError as error:
            outcome = base.Refund(
                reference=str(refund_id),
                external_id="",
                status=ChargeStatus.DECLINED,
                decline=Decline("rejected_by_gateway", str(error)[:500]),
            )
        return settle(refund_id, outcome=outcome, now=now)


@transaction.atomic(durable=True)
def settle(refund_id: UUID, *, outcome: base.Refund, now: datetime) -> Refund:
    """Write down what the gateway said. Whoever hears first wins; the second changes nothing.

    But for one thing: that the money came back after all, because nobody took it.

    :param now: when it was heard; the customer's own present is what counts.
    """
    refund = locks.refund(refund_id)
    has_come_back = (
        refund.status == AttemptStatus.SUCCEEDED and outcome.status == ChargeStatus.DECLINED
    )
    if refund.status in lifecycle.OPEN_ATTEMPTS or has_come_back:
        refund_outcomes.apply(refund, outcome, heard_at=now)
    return refund


def question(refund: Refund, gateway: str, verb: str) -> Question:
    """What is asked of the gateway about a refund."""
    return Question(gateway, verb, str(refund.pk), refund.customer.test_clock_id is not None)


@transaction.atomic
def pay_out(refund_id: UUID, *, reference: str, by: str, now: datetime) -> Refund:
    """An operator has paid out by hand what did not come through a gateway. Again is as once.

    :param reference: what the bank calls it.
    :raises NotFoundError: if there is no such refund.
    :raises ConflictError: if a gateway gives it back.
    """
    refund = locks.refund(refund_id)
    if refund.payment.attempt_id is not None:
        raise ConflictError(
            f"{refund.payment.gateway.capitalize()} gives it back.", code="refunded_by_gateway"
        )
    if refund.status not in lifecycle.OPEN_ATTEMPTS:
        return refund
    paid_out = base.Refund(str(refund.pk), reference[:255], ChargeStatus.SUCCEEDED)
    refund_outcomes.apply(refund, paid_out, heard_at=now, by=by)
    return refund


def open_for(payment: Payment, amount: Money, ask: Ask, *, now: datetime) -> Refund:
    """Write down that money of a payment shall go back, without a credit note.

    In a transaction of the caller's, who holds the lock on the customer and posts why.
    """
    refund = Refund.objects.create(
        customer_id=payment.customer_id,
        payment=payment,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=ask.reason[:255],
        created_by=ask.by,
        created_at=now,
    )
    announcing.refunds_created([refund], at=now)
    return refund


def _of_credit(payment: Payment, wanted: Money, ask: Ask, *, now: datetime) -> list[Refund]:
    """What of a payment is credit that nobody used."""
    grants = refund_outcomes.grants_of(payment).usable(now)
    draws = drawing.draw(list(grants), wanted, Purpose(DrawKind.REFUND, by=ask.by), now=now)
    if not draws:
        return []
    drawing.put(draws)
    amount = drawing.total(draws, payment.currency)
    refund = open_for(payment, amount, ask, now=now)
    journal.post(
        refund_outcomes.fact(
            "REFUND_OWED",
            refund,
            key="owed",
            at=now,
            posted=postings.refund_owed(amount),
            grants=drawing.said(draws),
            by=ask.by,
        )
    )
    return [refund]


def _of_settled(payment: Payment, wanted: Money, ask: Ask, *, now: datetime) -> list[Refund]:
    """What a payment settled, by a credit note over each invoice, the one settled last first."""
    refunds: list[Refund] = []
    for invoice in refundable.settled_by(payment):
        part = min(wanted, _left_of(invoice, payment))
        if invoice.status != InvoiceStatus.PAID or part.minor <= 0:
            continue
        order = _order(part, ask.reason, payment_id=payment.pk)
        document = credit_notes.issue_on(invoice, order, by=ask.by, now=now)
        refunds += document.refunds.order_by("pk")
        wanted -= part
    return refunds


def _left_of(invoice: Invoice, payment: Payment) -> Money:
    """What of an invoice can go back by one payment."""
    origins = {origin.key: origin.left for origin in refundable.origins(invoice)}
    return min(refundable.left_on(invoice), origins[str(payment.pk)])


def _order(amount: Money | None, reason: str, *, payment_id: UUID | None = None) -> Order:
    return Order(
        request=WHOLE if amount is None else Request(amount=amount),
        to=Destination.REFUND,
        reason=CreditReason.REFUND,
        note=reason,
        payment_id=payment_id,
    )


def _require_paid(invoice: Invoice) -> None:
    if invoice.status != InvoiceStatus.PAID:
        raise ConflictError(
            f"There is nothing to refund: the invoice is {invoice.status.lower()}.",
            code="nothing_to_refund",
        )


def _require_customers_right(invoice: Invoice, amount: Money | None, *, now: datetime) -> None:
    if amount is not None:
        raise ConflictError("Customers refund an invoice whole.", code="only_whole")
    if invoice.paid_at is not None:
        returning.require_refund_period(invoice.paid_at, now=now)


@transaction.atomic(durable=True)
def _begin_sending(refund_id: UUID, *, now: datetime) -> tuple[Refund, bool]:
    """The refund, and whether it may have reached the gateway before."""
    refund = locks.refund(refund_id)
    is_repeated = refund.status != AttemptStatus.CREATED
    if refund.payment.attempt_id is not None:
        sending.begin(refund, now=now)
    return refund, is_repeated


@transaction.atomic(durable=True)
def _put_off(refund_id: UUID, *, is_unheard: bool, now: datetime) -> Refund:
    refund = locks.refund(refund_id)
    if is_unheard:
        sending.hold(refund, now=now)
    else:
        sending.lose_sight(refund, now=now)
    return refund
