"""Finds what must happen and was never heard of: the queue may be lost, the rows are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from billing.models import ApiRequest, GatewayEvent, PaymentAttempt, Refund
from billing.queries import prepaid
from billing.services import dunning_days, grants, held, notices, payments
from billing.services.gateway_events import MAX_TRIES

BATCH: Final = 500
KEPT_KEYS: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Found:
    """Attempts and refunds to send, notifications to handle, dunning notices to mail, and
    customers whose prepaid usage was not drawn for.
    """

    attempts: Sequence[UUID]
    refunds: Sequence[UUID]
    events: Sequence[UUID]
    notices: Sequence[int]
    prepaying: Sequence[UUID]


def sweep(*, now: datetime, limit: int = BATCH) -> Found:
    """Open the retries that are due, dun what is not paid, and list all that waits to be done.

    What is listed may be under way already: those who do it know by their locks.
    """
    held.release(now=now, limit=limit)
    payments.retry_due(now=now, limit=limit)
    dunning_days.overdue(now=now, limit=limit)
    dunning_days.step(now=now, limit=limit)
    grants.expire_due(now=now, limit=limit)
    attempts = PaymentAttempt.objects.unsent().order_by("created_at")
    refunds = Refund.objects.unsent().order_by("created_at")
    events = GatewayEvent.objects.filter(handled_at=None, tries__lt=MAX_TRIES)
    ApiRequest.objects.filter(created_at__lt=now - KEPT_KEYS).delete()
    return Found(
        attempts=list(attempts.values_list("pk", flat=True)[:limit]),
        refunds=list(refunds.values_list("pk", flat=True)[:limit]),
        events=list(events.order_by("received_at").values_list("pk", flat=True)[:limit]),
        notices=list(notices.unmailed(now).values_list("pk", flat=True)[:limit]),
        prepaying=prepaid.unheard(limit),
    )
