"""Finds what must happen and was never heard of: the queue may be lost, the rows are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from billing.models import ApiRequest, GatewayEvent, PaymentAttempt
from billing.services import payments
from billing.services.gateway_events import MAX_TRIES

BATCH: Final = 500
KEPT_KEYS: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Found:
    """Attempts to collect and notifications to handle."""

    attempts: Sequence[UUID]
    events: Sequence[UUID]


def sweep(*, now: datetime, limit: int = BATCH) -> Found:
    """Open the retries that are due, and list everything that still waits to be done.

    What is listed may be under way already: those who do it know by their locks.
    """
    payments.retry_due(now=now, limit=limit)
    attempts = PaymentAttempt.objects.unsent().order_by("created_at")
    events = GatewayEvent.objects.filter(handled_at=None, tries__lt=MAX_TRIES)
    ApiRequest.objects.filter(created_at__lt=now - KEPT_KEYS).delete()
    return Found(
        attempts=list(attempts.values_list("pk", flat=True)[:limit]),
        events=list(events.order_by("received_at").values_list("pk", flat=True)[:limit]),
    )
