"""Finds what must happen and was never heard of: the queue may be lost, the rows are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from billing.models import ApiRequest, CheckoutSession, GatewayEvent, PaymentAttempt, Refund
from billing.models.payment import CheckoutStatus
from billing.queries import prepaid
from billing.services import dunning_days, grants, held, notices, payer_actions, payments
from billing.services.gateway_events import MAX_TRIES

BATCH: Final = 500
KEPT_KEYS: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Found:
    """Attempts and refunds to send, notifications to handle, notices to mail, and customers whose
    prepaid usage was not drawn for.

    :param asked: attempts that wait at their gateway and are to be asked about; so are `returns`,
        refunds, and `visits`, checkout sessions.
    :param expired: attempts whose payer did not come.
    :param notices: about dunning; `told` are the others.
    :param disabled: webhook endpoints of which operators are to be told.
    """

    attempts: Sequence[UUID]
    refunds: Sequence[UUID]
    events: Sequence[UUID]
    notices: Sequence[int]
    prepaying: Sequence[UUID]
    asked: Sequence[UUID]
    returns: Sequence[UUID]
    visits: Sequence[UUID]
    expired: Sequence[UUID]
    told: Sequence[UUID]
    disabled: Sequence[UUID]


def sweep(*, now: datetime, limit: int = BATCH) -> Found:
    """Open the retries that are due, dun what is not paid, and list all that waits to be done.

    What is listed may be under way already: those who do it know by their locks.
    """
    held.release(now=now, limit=limit)
    payments.retry_due(now=now, limit=limit)
    dunning_days.overdue(now=now, limit=limit)
    dunning_days.step(now=now, limit=limit)
    grants.expire_due(now=now, limit=limit)
    attempts = PaymentAttempt.objects.to_send(now).order_by("created_at")
    refunds = Refund.objects.to_send(now).order_by("created_at")
    visits = CheckoutSession.objects.filter(status=CheckoutStatus.OPEN, ask_at__lte=now)
    events = GatewayEvent.objects.filter(handled_at=None, tries__lt=MAX_TRIES)
    ApiRequest.objects.filter(created_at__lt=now - KEPT_KEYS).delete()
    return Found(
        attempts=_first(attempts, limit),
        refunds=_first(refunds, limit),
        events=list(events.order_by("received_at").values_list("pk", flat=True)[:limit]),
        notices=list(notices.unmailed(now).values_list("pk", flat=True)[:limit]),
        prepaying=prepaid.unheard(limit),
        asked=_first(PaymentAttempt.objects.to_ask(now).order_by("ask_at"), limit),
        returns=_first(Refund.objects.to_ask(now).order_by("ask_at"), limit),
        visits=_first(visits.order_by("ask_at"), limit),
        expired=payer_actions.to_withdraw(now)[:limit],
        told=_first(notices.untold(now), limit),
        disabled=_first(notices.unreported(), limit),
    )


def _first(rows: QuerySet[Any], limit: int) -> list[UUID]:  # of whatever has such a key
    return list(rows.values_list("pk", flat=True)[:limit])
