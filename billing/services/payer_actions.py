"""What waits for the payer: begun when they are there, withdrawn when they do not come.

The gateway is called outside of any transaction; its word is settled like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from billing.core import lifecycle
from billing.core.errors import ConflictError, NotFoundError, UnavailableError
from billing.core.lifecycle import ActionKind, AttemptStatus
from billing.gateways.abilities import AsksPayer
from billing.gateways.base import (
    Charge,
    ChargeStatus,
    Decline,
    Gateway,
    GatewayRejectedError,
    GatewayUnavailableError,
)
from billing.models import Invoice, PaymentAttempt
from billing.services import calling, locks, outcomes, payments

WITHDRAWN: Final = Decline("withdrawn", "The payment was withdrawn; it is to be made another way.")
NOT_TAKEN: Final = Decline("payer_did_not_act", "The payment waited for its payer in vain.")


# How long an invoice whose payment was withdrawn waits for another, before it is charged again.
PATIENCE: Final = timedelta(days=1)


def resume(attempt_id: UUID, *, return_url: str, now: datetime) -> PaymentAttempt:
    """The payer is there: go on with what waits for them.

    What they have to do then stands in `action`, with the page's address, unless it is settled.

    :raises ConflictError: if it does not wait for them.
    :raises UnavailableError: if the gateway does not answer.
    """
    attempt = _find(attempt_id)
    if attempt.status != AttemptStatus.ACTION_REQUIRED:
        raise ConflictError("This payment does not wait for you any more.", code="nothing_to_do")
    if attempt.action["kind"] != ActionKind.PAGE:
        return attempt
    outcome = _ask(
        attempt,
        "resume",
        lambda it: it.resume(attempt.external_id, return_url=return_url),
        now=now,
    )
    return payments.settle(attempt.pk, outcome=outcome, now=now)


def withdraw(attempt_id: UUID, *, now: datetime) -> PaymentAttempt:
    """Give up a payment that waits for its payer, or was never sent, so that another may be made.

    Whatever came first counts: one that was paid meanwhile stays paid. Again is the same as once.

    :raises ConflictError: if it may have reached the gateway and does not wait for anybody.
    :raises UnavailableError: if the gateway does not answer.
    """
    with locks.alone("attempt", attempt_id) as is_ours:
        attempt = _find(attempt_id)
        if is_ours and attempt.status == AttemptStatus.CREATED:
            return _abandon(attempt_id, now=now)
    if attempt.status == AttemptStatus.ABANDONED:
        return attempt
    if attempt.status != AttemptStatus.ACTION_REQUIRED:
        raise ConflictError("This payment is under way.", code="charge_under_way")
    return _withdrawn(attempt, WITHDRAWN, now=now)


def to_withdraw(now: datetime) -> Sequence[UUID]:
    """Attempts whose payer did not come in time, or whose invoice needs no payment any more."""
    present = Coalesce(F("invoice__customer__test_clock__now"), Value(now))
    rows = PaymentAttempt.objects.filter(status=AttemptStatus.ACTION_REQUIRED)
    return list(
        rows.alias(present=present)
        .filter(Q(expires_at__lte=F("present")) | ~Q(invoice__status__in=lifecycle.COLLECTIBLE))
        .values_list("pk", flat=True)
    )


def expire(attempt_id: UUID, *, now: datetime) -> PaymentAttempt:
    """Give up what nobody came for. Where it is still owed, that is a failed charge.

    :raises UnavailableError: if the gateway does not answer.
    """
    attempt = _find(attempt_id)
    if attempt.status != AttemptStatus.ACTION_REQUIRED:
        return attempt
    is_owed = attempt.invoice.status in lifecycle.COLLECTIBLE
    return _withdrawn(attempt, NOT_TAKEN if is_owed else WITHDRAWN, now=now)


def _withdrawn(attempt: PaymentAttempt, why: Decline, *, now: datetime) -> PaymentAttempt:
    outcome = _ask(attempt, "withdraw", lambda it: it.withdraw(attempt.external_id), now=now)
    if outcome.status == ChargeStatus.DECLINED and why is WITHDRAWN:
        return _abandon(attempt.pk, now=now)
    if outcome.status == ChargeStatus.DECLINED:
        outcome = Charge(outcome.reference, outcome.external_id, outcome.status, why)
    return payments.settle(attempt.pk, outcome=outcome, now=now)


@transaction.atomic(durable=True)
def _abandon(attempt_id: UUID, *, now: datetime) -> PaymentAttempt:
    attempt = locks.attempt(attempt_id)
    if attempt.status in {AttemptStatus.CREATED, AttemptStatus.ACTION_REQUIRED}:
        present = attempt.invoice.customer.lives_at(now)
        outcomes.abandon(attempt, WITHDRAWN, now=present)
        _charge_again(attempt.invoice, present + PATIENCE)
    return attempt


def _charge_again(invoice: Invoice, at: datetime) -> None:
    """Should nothing be paid another way until then."""
    if invoice.status in lifecycle.COLLECTIBLE:
        invoice.next_charge_at = at
        invoice.save(update_fields=["next_charge_at"])


def _ask(
    attempt: PaymentAttempt, verb: str, put: Callable[[AsksPayer], Charge], *, now: datetime
) -> Charge:
    def put_to(gateway: Gateway) -> Charge:
        if not isinstance(gateway, AsksPayer):
            raise GatewayRejectedError(f"{gateway.name} asks nothing of payers.")
        return put(gateway)

    try:
        return calling.ask(payments.question(attempt, verb), put_to, now=now)
    except GatewayUnavailableError as error:
        raise UnavailableError(
            "The payment gateway does not answer. Please try again.", code="gateway_unavailable"
        ) from error
    except GatewayRejectedError as error:
        raise ConflictError(str(error), code="rejected_by_gateway") from error


def _find(attempt_id: UUID) -> PaymentAttempt:
    rows = PaymentAttempt.objects.select_related("invoice__customer__test_clock")
    attempt = rows.filter(pk=attempt_id).first()
    if attempt is None:
        raise NotFoundError(f"There is no payment attempt {attempt_id}.", code="not_found")
    return attempt
