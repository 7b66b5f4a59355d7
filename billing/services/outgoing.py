"""What the world is told: written with what made it true, for `delivering` to send.

An event and its deliveries are rows of the transaction in which it happened: they are there if
and only if it did. Where nobody listens, nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from uuid_utils.compat import uuid7

from billing.core import event_types, events
from billing.core.events import Announcement
from billing.models import Delivery, OutgoingEvent, WebhookEndpoint, bulk
from billing.services import locks


def announce(
    type: str,  # noqa: A002  # the word of the notification itself
    *,
    customer_id: UUID | None,
    object_kind: str,
    object_id: UUID | str,
    data: Mapping[str, Any],
    at: datetime,
) -> None:
    """Tell of something that is no fact of the journal, in the transaction that makes it true.

    :param type: of `event_types.TYPES`; `data` has its fields, and what is missing is null.
    :raises ValueError: if there is no such type or field.
    """
    announce_all([Announcement(type, customer_id, object_kind, str(object_id), data, at)])


def announce_all(told: Iterable[Announcement]) -> None:
    """Tell of many things, in the order in which they happened, as `announce` does.

    Where nobody listens they are not even made.

    :raises ValueError: as `announce` does.
    :raises RuntimeError: outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("It is announced in the transaction that makes it true.")
    listening = locks.listening_endpoints()
    if not listening:
        return
    pairs = [
        (each, endpoints)
        for each in told
        if (endpoints := [pk for pk, types in listening if event_types.matches(types, each.type)])
    ]
    if pairs:
        _write(pairs)


def write_test(endpoint: WebhookEndpoint, *, now: datetime) -> Delivery:
    """A notification for one endpoint alone, whatever it listens to."""
    told = Announcement(
        event_types.TEST, None, "webhook_endpoint", str(endpoint.pk), data={}, at=now
    )
    [delivery] = _write([(told, [endpoint.pk])])
    return delivery


def _write(pairs: Sequence[tuple[Announcement, Sequence[UUID]]]) -> list[Delivery]:
    rows = [
        _event(told, position)
        for (told, _), position in zip(pairs, _positions(len(pairs)), strict=True)
    ]
    deliveries = [
        Delivery(endpoint_id=pk, event=row, object_id=row.object_id, position=row.position)
        for row, (_, endpoints) in zip(rows, pairs, strict=True)
        for pk in endpoints
    ]
    bulk.insert(rows)
    bulk.insert(deliveries)
    return deliveries


def _event(told: Announcement, position: int) -> OutgoingEvent:
    pk = uuid7()
    return OutgoingEvent(
        pk=pk,
        position=position,
        type=told.type,
        customer_id=told.customer_id,
        object_kind=told.object_kind,
        object_id=told.object_id,
        body=events.body(pk, told),
        occurred_at=told.at,
    )


def _positions(count: int) -> list[int]:
    """The next so many, ascending."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval('billing_outgoing_position') FROM generate_series(1, %s)", [count]
        )
        return sorted(position for (position,) in cursor.fetchall())
