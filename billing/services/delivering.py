"""Sends what is due: at least once, in order for each object, and nobody waits for a slow one.

A delivery is claimed by putting its time ahead by a lease, sent outside any transaction, and
settled. Threads only speak HTTP; the database is this thread's.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from billing.core import delivering as rules
from billing.core.delivering import DeliveryStatus, FailureKind
from billing.core.errors import NotFoundError
from billing.models import Delivery, DeliveryTry, WebhookEndpoint, bulk
from billing.services import locks, posting, webhook_endpoints, webhook_secrets
from billing.services.posting import Outcome
from billing.services.webhook_secrets import SecretLostError

LEASE: Final = timedelta(seconds=60)  # longer than a try can take
AT_ONCE: Final = 16
SHARE: Final = 4  # of those, to one endpoint; one that failed last has a single one
RUN_SECONDS: Final = 10
_LOOK_SECONDS: Final = 0.25
_PUT_OFF: Final = 1000
_LOCK: Final = ("outgoing", "deliver")
USER_AGENT: Final = "Bursar-Webhooks/1"


@dataclass(frozen=True, slots=True)
class _Flight:
    """A delivery on its way, with its event and endpoint, since `sent_at`."""

    delivery: Delivery
    sent_at: datetime


@dataclass(slots=True)
class _Run:
    """What is on its way; `began` is this instant on the monotonic clock.

    :param tried: endpoints that were failing when they were sent to: once a run is enough.
    """

    now: datetime
    began: float
    flying: dict[Future[Outcome], _Flight] = field(default_factory=dict)
    tried: set[UUID] = field(default_factory=set)
    sent: int = 0

    @property
    def present(self) -> datetime:
        """How late it is by now."""
        return self.now + timedelta(seconds=self.elapsed)

    @property
    def elapsed(self) -> int:
        """Whole seconds since it began."""
        return int(time.monotonic() - self.began)


def run(*, now: datetime) -> int:
    """Send what is due, unless another worker is at it; how many tries that took.

    One worker is enough, and more would hold up what else workers do. Should its lock be lost,
    two send side by side without sending twice.
    """
    with locks.alone(*_LOCK) as is_ours:
        return work(now=now) if is_ours else 0


def work(*, now: datetime) -> int:
    """Send what is due and what falls due meanwhile, for up to `RUN_SECONDS`; how many tries."""
    this = _Run(now, time.monotonic())
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deliver") as pool:
        while True:
            if this.elapsed < RUN_SECONDS:
                _take_off(this, pool)
            if not this.flying:
                return this.sent
            done, _ = wait(this.flying, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for each in done:
                _settle(this.flying.pop(each), each.result(), now=this.present)


def request_headers(event_id: UUID, sent_at: datetime) -> dict[str, str]:
    """What a request says of itself, but for its signature."""
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "webhook-id": str(event_id),
        "webhook-timestamp": str(int(sent_at.timestamp())),
    }


def _take_off(this: _Run, pool: ThreadPoolExecutor) -> None:
    """Begin as many as there is room for, the least busy endpoints first."""
    busy = Counter(flight.delivery.endpoint_id for flight in this.flying.values())
    due = Delivery.objects.due(this.present).filter(endpoint=OuterRef("pk"))
    endpoints = WebhookEndpoint.objects.filter(Exists(due), is_enabled=True)
    for endpoint in sorted(endpoints, key=lambda row: (busy[row.pk], row.pk)):
        share = _share(this, endpoint) - busy[endpoint.pk]
        room = min(share, AT_ONCE - len(this.flying))
        if room > 0:
            for delivery in _claim(endpoint.pk, room, now=this.present):
                flight = _Flight(delivery, this.present)
                this.flying[pool.submit(_send, flight)] = flight
                this.sent += 1


def _share(this: _Run, endpoint: WebhookEndpoint) -> int:
    """How many may be on their way to an endpoint; once a run, where the last one failed."""
    if endpoint.failing_since_at is None:
        return SHARE
    is_tried = endpoint.pk in this.tried
    this.tried.add(endpoint.pk)
    return 0 if is_tried else 1


@transaction.atomic(durable=True)
def _claim(endpoint_id: UUID, limit: int, *, now: datetime) -> list[Delivery]:
    """Take what is first in line. What stands behind is looked at again when that is done."""
    blocked = locks.blocked_deliveries(endpoint_id, now, limit=_PUT_OFF)
    claimed = locks.due_deliveries(endpoint_id, now, limit=limit)
    for delivery in (*blocked, *claimed):
        delivery.due_at = now + LEASE
    for delivery in claimed:
        delivery.tries += 1
    bulk.update([*blocked, *claimed], "due_at", "tries")
    return claimed


def _send(flight: _Flight) -> Outcome:
    """In a thread: sign it and send it."""
    delivery = flight.delivery
    endpoint, event = delivery.endpoint, delivery.event
    try:
        signatures = webhook_secrets.signatures(
            endpoint, event_id=str(event.pk), body=event.body, now=flight.sent_at
        )
    except SecretLostError:
        return Outcome(0, failure=FailureKind.SECRET)
    return posting.post(
        endpoint.url,
        event.body.encode(),
        {**request_headers(event.pk, flight.sent_at), "webhook-signature": signatures},
        allows_private=settings.WEBHOOK_PRIVATE_TARGETS,
    )


@transaction.atomic(durable=True)
def _settle(flight: _Flight, outcome: Outcome, *, now: datetime) -> None:
    """Write down what came of a try, and what follows from it.

    Whoever took it over when our lease was over has the say about a failure; a success is one.
    """
    try:
        delivery = locks.delivery(flight.delivery.pk)
    except NotFoundError:  # deleted with its endpoint
        return
    DeliveryTry.objects.create(
        delivery=delivery,
        sent_at=flight.sent_at,
        took_ms=outcome.took_ms,
        status_code=outcome.status_code,
        failure=outcome.failure or "",
        answer=outcome.answer,
    )
    if delivery.status != DeliveryStatus.PENDING:
        return
    if outcome.failure is None:
        _succeed(delivery, now=now)
    elif delivery.tries == flight.delivery.tries:
        _fail(delivery, outcome, now=now)


def _succeed(delivery: Delivery, *, now: datetime) -> None:
    _end(delivery, DeliveryStatus.DELIVERED, now=now)
    endpoint = delivery.endpoint
    if endpoint.failing_since_at is not None:
        endpoint.failing_since_at = None
        endpoint.save(update_fields=["failing_since_at"])


def _fail(delivery: Delivery, outcome: Outcome, *, now: datetime) -> None:
    delivery.due_at = rules.again_at(delivery.tries, seed=str(delivery.pk), now=now)
    if delivery.due_at is None:
        _end(delivery, DeliveryStatus.FAILED, now=now)
    else:
        delivery.save(update_fields=["due_at"])
    endpoint = delivery.endpoint
    if not endpoint.is_enabled:
        return
    if endpoint.failing_since_at is None:
        endpoint.failing_since_at = now
        endpoint.save(update_fields=["failing_since_at"])
    if outcome.status_code == rules.GONE:
        webhook_endpoints.disable(endpoint, "It answered 410: it is gone.", now=now)
    elif rules.is_dead(failing_since=endpoint.failing_since_at, now=now):
        webhook_endpoints.disable(endpoint, "Everything sent to it failed for three days.", now=now)


def _end(delivery: Delivery, status: DeliveryStatus, *, now: datetime) -> None:
    """It is over, one way or the other: what comes next about the same object is due."""
    delivery.status, delivery.settled_at, delivery.due_at = status, now, None
    delivery.save(update_fields=["status", "settled_at", "due_at"])
    line = Delivery.objects.pending().filter(
        endpoint=delivery.endpoint_id,
        object_id=delivery.object_id,
        position__gt=delivery.position,
    )
    following = line.order_by("position").first()
    if following is not None and not following.tries:
        following.due_at = None
        following.save(update_fields=["due_at"])
