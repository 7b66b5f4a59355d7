"""Asking what became of what waits at a gateway, and an operator's word where nobody knows."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from billing.core import asking, lifecycle
from billing.core.errors import ConflictError
from billing.core.lifecycle import AttemptStatus, DisputeStatus
from billing.gateways.base import (
    Charge,
    ChargeStatus,
    Decline,
    GatewayRejectedError,
    GatewayUnavailableError,
    Setup,
)
from billing.gateways.base import Dispute as DisputeFact
from billing.gateways.base import Refund as RefundFact
from billing.models import CheckoutSession, Dispute, PaymentAttempt, Refund
from billing.models.payment import CheckoutStatus
from billing.models.refund import DisputeSource
from billing.services import (
    calling,
    disputes,
    journal,
    locks,
    outcomes,
    payment_methods,
    payments,
    refunds,
)
from billing.services.calling import Question
from billing.services.payment_methods import Settled

logger = logging.getLogger(__name__)

NOT_TAKEN: Final = Decline("not_taken", "An operator found that nothing was taken.")


def charge(attempt_id: UUID, *, now: datetime) -> PaymentAttempt:
    """Ask what became of a charge that waits, and settle it. No answer: later again."""
    attempt = PaymentAttempt.objects.select_related("invoice__customer__test_clock").get(
        pk=attempt_id
    )
    if attempt.status not in lifecycle.WAITING_ATTEMPTS:
        return attempt
    PaymentAttempt.objects.filter(pk=attempt_id).update(ask_at=now + asking.PROCESSING)
    try:
        fact = calling.ask(
            payments.question(attempt, "fetch"),
            lambda it: it.fetch("charge", attempt.external_id),
            now=now,
        )
    except (GatewayUnavailableError, GatewayRejectedError):
        logger.warning("No answer from %s about attempt %s.", attempt.gateway, attempt.pk)
        return attempt
    if not isinstance(fact, Charge):
        return attempt
    return payments.settle(attempt_id, outcome=fact, now=now)


def refund(refund_id: UUID, *, now: datetime) -> Refund:
    """Ask what became of a refund that is on its way, and settle it. No answer: later again."""
    row = Refund.objects.select_related("customer", "payment").get(pk=refund_id)
    if row.status != AttemptStatus.PROCESSING:
        return row
    Refund.objects.filter(pk=refund_id).update(ask_at=now + asking.PROCESSING)
    question = refunds.question(row, row.payment.gateway, "fetch")
    try:
        fact = calling.ask(question, lambda it: it.fetch("refund", row.external_id), now=now)
    except (GatewayUnavailableError, GatewayRejectedError):
        logger.warning("No answer from %s about refund %s.", row.payment.gateway, row.pk)
        return row
    return refunds.settle(refund_id, outcome=fact, now=now) if isinstance(fact, RefundFact) else row


def dispute(dispute_id: UUID, *, now: datetime) -> Dispute:
    """Ask how a bank's dispute stands, and follow it. No answer: another day."""
    row = Dispute.objects.select_related("customer", "payment").get(pk=dispute_id)
    if row.status != DisputeStatus.OPEN or row.source != DisputeSource.GATEWAY:
        return row
    is_simulated = row.customer.test_clock_id is not None
    question = Question(row.payment.gateway, "fetch", str(row.pk), is_simulated)
    try:
        fact = calling.ask(question, lambda it: it.fetch("dispute", row.external_id), now=now)
    except (GatewayUnavailableError, GatewayRejectedError):
        logger.warning("No answer from %s about dispute %s.", row.payment.gateway, row.pk)
        return row
    if not isinstance(fact, DisputeFact):
        return row
    return disputes.follow(row.payment_id, fact, now=now)


def setup(session_id: UUID, *, now: datetime) -> Settled | None:
    """Ask how a visit to a gateway's page went, and settle it. None: nothing was learnt."""
    session = CheckoutSession.objects.select_related("customer").get(pk=session_id)
    if session.status != CheckoutStatus.OPEN:
        return None
    later = asking.visit_again_at(began_at=session.created_at, now=now)
    CheckoutSession.objects.filter(pk=session.pk).update(ask_at=later)
    if not session.external_id:  # no answer came: the gateway's own word is waited for
        return None
    question = Question(
        session.gateway, "fetch", str(session.pk), session.customer.test_clock_id is not None
    )
    try:
        fact = calling.ask(question, lambda it: it.fetch("setup", session.external_id), now=now)
    except (GatewayUnavailableError, GatewayRejectedError):
        logger.warning("No answer from %s about visit %s.", session.gateway, session.pk)
        return None
    if not isinstance(fact, Setup):
        if later is None:  # the gateway has forgotten it, or gives no answer
            CheckoutSession.objects.filter(pk=session.pk, status=CheckoutStatus.OPEN).update(
                status=CheckoutStatus.EXPIRED
            )
        return None
    return payment_methods.settle(session_id, setup=fact, now=now)


@transaction.atomic
def decide(
    attempt_id: UUID, *, was_taken: bool, external_id: str = "", by: str, now: datetime
) -> PaymentAttempt:
    """An operator says what became of a charge that its gateway gives no answer about.

    Should the gateway say later that money was taken after all, it is booked all the same.

    :param external_id: the gateway's id of the charge, where it was taken.
    :raises ConflictError: if it is known, is still being asked about, or the id is another's.
    """
    attempt = locks.attempt(attempt_id)
    if not attempt.is_undecided:
        is_open = attempt.status in lifecycle.OPEN_ATTEMPTS
        sentence = "The gateway is still being asked." if is_open else "What became of it is known."
        raise ConflictError(sentence, code="still_asking")
    if was_taken and not external_id:
        raise ConflictError("What does the gateway call the charge?", code="external_id_needed")
    others = PaymentAttempt.objects.filter(gateway=attempt.gateway, external_id=external_id)
    if external_id and others.exclude(pk=attempt.pk).exists():
        raise ConflictError("Another charge has that id.", code="external_id_taken")
    journal.post(
        journal.Fact(
            kind="ATTEMPT_DECIDED",
            key=f"attempt:{attempt.pk}:decided",
            customer_id=attempt.invoice.customer_id,
            occurred_at=attempt.invoice.customer.lives_at(now),
            context={
                "invoice": attempt.invoice.number,
                "gateway": attempt.gateway,
                "external_id": external_id,
                "was_taken": was_taken,
                "amount": str(attempt.amount),
                "by": by,
            },
            source_kind="invoice",
            source_id=attempt.invoice_id,
        )
    )
    status = ChargeStatus.SUCCEEDED if was_taken else ChargeStatus.DECLINED
    outcome = Charge(str(attempt.pk), external_id, status, decline=None if was_taken else NOT_TAKEN)
    outcomes.apply(attempt, outcome, heard_at=now)
    return attempt


@transaction.atomic
def ask_again(attempt_id: UUID, *, now: datetime) -> PaymentAttempt:
    """Let the gateway be asked once more, at once, under the same key.

    :raises ConflictError: if there is nothing to ask about.
    """
    attempt = locks.attempt(attempt_id)
    if attempt.status not in lifecycle.OPEN_ATTEMPTS:
        raise ConflictError("What became of it is known.", code="nothing_to_ask")
    attempt.is_undecided, attempt.ask_at = False, now
    attempt.save(update_fields=["is_undecided", "ask_at"])
    return attempt
