"""What operators do with deliveries: send them again; and how long they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.core import event_types
from billing.core.delivering import DeliveryStatus
from billing.core.errors import InvalidError
from billing.models import Delivery, DeliveryTry, OutgoingEvent
from billing.services import locks
from billing.services.webhook_endpoints import require_enabled, require_types

MOST_RESENT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Range:
    """Deliveries of one endpoint that were written in `[start, end)`.

    :param types: names or patterns; none is all.
    """

    start: datetime
    end: datetime
    types: Sequence[str] = ()
    status: DeliveryStatus = DeliveryStatus.FAILED


@dataclass(frozen=True, slots=True)
class Resent:
    """How many are sent again, and how many of the range are left for another time."""

    resent: int
    left: int


@transaction.atomic
def resend(delivery_id: UUID) -> Delivery:
    """Send one once more, now and with all its retries, whatever became of it.

    :raises NotFoundError: if there is none.
    :raises ConflictError: with code `endpoint_disabled` if nothing is sent there.
    """
    delivery = locks.delivery(delivery_id)
    require_enabled(delivery.endpoint)
    _again(Delivery.objects.filter(pk=delivery.pk))
    delivery.refresh_from_db(fields=["status", "tries", "due_at", "settled_at"])
    return delivery


@transaction.atomic
def resend_range(endpoint_id: UUID, wanted: Range) -> Resent:
    """Send many once more, the oldest first, up to `MOST_RESENT` at a time.

    :raises NotFoundError: if there is no such endpoint.
    :raises InvalidError: if the range is empty, or there is no such type.
    :raises ConflictError: with code `endpoint_disabled` if nothing is sent there.
    """
    if wanted.start >= wanted.end:
        raise InvalidError("“from” comes before “to”.", code="empty_range")
    endpoint = locks.webhook_endpoint(endpoint_id)
    require_enabled(endpoint)
    require_types(wanted.types)
    rows = Delivery.objects.filter(
        of_types(wanted.types),
        endpoint=endpoint,
        status=wanted.status,
        created_at__gte=wanted.start,
        created_at__lt=wanted.end,
    )
    total = rows.count()
    first = rows.order_by("position").values("pk")[:MOST_RESENT]
    resent = _again(Delivery.objects.filter(pk__in=first))
    return Resent(resent, total - resent)


def of_types(types: Sequence[str]) -> Q:
    """That a delivery is of one of these names or patterns; none is all."""
    found = [name for name in event_types.TYPES if event_types.matches(types, name)]
    return Q(event__type__in=found) if types else Q()


def prune(*, now: datetime) -> int:
    """Forget what was sent longer ago than it is kept, and what waits where nothing is sent."""
    before = now - timedelta(days=settings.NOTIFICATION_DAYS)
    is_over = ~Q(status=DeliveryStatus.PENDING) | Q(endpoint__is_enabled=False)
    old = Delivery.objects.filter(is_over, created_at__lt=before).values("pk")
    DeliveryTry.objects.filter(delivery__in=old).delete()
    count, _ = Delivery.objects.filter(pk__in=old).delete()
    on_their_way = Delivery.objects.filter(event=OuterRef("pk"))
    events = OutgoingEvent.objects.filter(recorded_at__lt=before).exclude(Exists(on_their_way))
    events.delete()
    return count


def _again(rows: QuerySet[Delivery]) -> int:
    return rows.update(status=DeliveryStatus.PENDING, due_at=None, tries=0, settled_at=None)
