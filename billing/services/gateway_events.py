"""Notifications: stored once, then the object is fetched, and one command called.

State comes from the fetched object and the steps from our own tables, so that notifications that
come late, twice or in another order end the same way.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from billing.core.errors import NotFoundError
from billing.gateways.base import (
    Charge,
    Dispute,
    Fact,
    GatewayUnavailableError,
    GatewayUnreachableError,
    MethodChange,
    Notification,
    Refund,
    Setup,
)
from billing.models import CheckoutSession, GatewayCall, GatewayEvent, Payment, PaymentAttempt
from billing.models import Refund as RefundRow
from billing.services import calling, disputes, locks, payment_methods, payments, refunds
from billing.services.calling import Question

logger = logging.getLogger(__name__)

MAX_TRIES: Final = 50


def receive(notification: Notification, *, gateway: str, now: datetime) -> UUID | None:
    """Store a notification; its row's id, or None if it was stored before."""
    event = GatewayEvent(
        gateway=gateway,
        event_id=notification.event_id,
        kind=notification.kind,
        object_type=notification.object_type,
        object_id=notification.object_id,
        occurred_at=notification.occurred_at,
        received_at=now,
    )
    stored = GatewayEvent.objects.bulk_create([event], ignore_conflicts=True)
    is_new = GatewayEvent.objects.filter(pk=stored[0].pk).exists()
    return event.pk if is_new else None


def handle(event_id: UUID, *, now: datetime) -> Sequence[UUID]:
    """Fetch what a notification is about and follow it; the attempts to collect because of it.

    A gateway that does not answer leaves the notification unhandled: it is taken up again.

    :raises GatewayUnavailableError: then.
    """
    with locks.alone("gateway_event", event_id) as is_ours:
        event = GatewayEvent.objects.filter(pk=event_id).first()
        if not is_ours or event is None or event.handled_at is not None:
            return []
        tried = GatewayEvent.objects.filter(pk=event_id)
        tried.update(tries=F("tries") + 1)
        try:
            fact = calling.ask(
                Question(event.gateway, "fetch"),
                lambda it: it.fetch(event.object_type, event.object_id),
                now=now,
            )
        except GatewayUnreachableError:  # nobody was asked: however long that lasts, it waits
            tried.filter(tries__gt=0).update(tries=F("tries") - 1)
            raise
        outcome, attempts = follow(fact, gateway=event.gateway, now=now)
        tried.update(handled_at=now, outcome=outcome)
        return attempts


@transaction.atomic
def replay(event_id: UUID) -> None:
    """Let a notification be handled once more.

    :raises NotFoundError: if there is none.
    """
    if not GatewayEvent.objects.filter(pk=event_id).update(handled_at=None, outcome="", tries=0):
        raise NotFoundError(f"There is no notification {event_id}.", code="not_found")


def prune(*, now: datetime) -> int:
    """Forget notifications and calls that are older than they are kept; how many."""
    before = now - timedelta(days=settings.NOTIFICATION_DAYS)
    events, _ = GatewayEvent.objects.filter(
        received_at__lt=before, handled_at__isnull=False
    ).delete()
    calls, _ = GatewayCall.objects.filter(called_at__lt=before).delete()
    return events + calls


def follow(fact: Fact | None, *, gateway: str, now: datetime) -> tuple[str, Sequence[UUID]]:
    """Follow what a gateway says: what was done, in words, and the attempts to collect.

    :raises GatewayUnavailableError: if it is about what is not known here yet.
    """
    if isinstance(fact, Charge):
        return _follow_charge(fact, now), []
    if isinstance(fact, Setup):
        return _follow_setup(fact, gateway, now)
    if isinstance(fact, MethodChange):
        method = payment_methods.follow(fact, gateway=gateway, now=now)
        return ("payment method updated" if method else "not one of ours"), []
    if isinstance(fact, Refund):
        return _follow_refund(fact, now), []
    if isinstance(fact, Dispute):
        return _follow_dispute(fact, gateway, now), []
    return "nothing to do", []


def _follow_charge(charge: Charge, now: datetime) -> str:
    attempt_id = uuid_of(charge.reference)
    if attempt_id is None or not PaymentAttempt.objects.filter(pk=attempt_id).exists():
        return "not one of ours"
    attempt = payments.settle(attempt_id, outcome=charge, now=now)
    return f"attempt {attempt.status.lower()}"


def _follow_refund(refund: Refund, now: datetime) -> str:
    refund_id = uuid_of(refund.reference)
    if refund_id is None or not RefundRow.objects.filter(pk=refund_id).exists():
        return "not one of ours"
    row = refunds.settle(refund_id, outcome=refund, now=now)
    return f"refund {row.status.lower()}"


def _follow_dispute(dispute: Dispute, gateway: str, now: datetime) -> str:
    """It may be heard of before the charge that it is about: then later again."""
    attempt = PaymentAttempt.objects.filter(
        gateway=gateway, external_id=dispute.charge_external_id
    ).first()
    if attempt is None:
        return "not one of ours"
    payment = Payment.objects.filter(attempt=attempt).first()
    if payment is None:
        raise GatewayUnavailableError("The charge that is contested is not settled yet.")
    row = disputes.follow(payment.pk, dispute, now=now)
    return f"dispute {row.status.lower()}"


def _follow_setup(setup: Setup, gateway: str, now: datetime) -> tuple[str, Sequence[UUID]]:
    row = session_of(setup, gateway)
    if row is None:
        return "not one of ours", []
    settled = payment_methods.settle(row.pk, setup=setup, now=now)
    return f"checkout {settled.session.status.lower()}", settled.attempts


def session_of(setup: Setup, gateway: str) -> CheckoutSession | None:
    """Whose set-up it is: by our reference, or where a gateway does not repeat it, by its own."""
    sessions = CheckoutSession.objects.filter(gateway=gateway)
    session_id = uuid_of(setup.reference)
    by_theirs = sessions.exclude(external_id="").filter(external_id=setup.external_id)
    return (by_theirs if session_id is None else sessions.filter(pk=session_id)).first()


def uuid_of(text: str) -> UUID | None:
    """Our reference as an id; None for what is not ours."""
    try:
        return UUID(text)
    except ValueError:
        return None
