"""Celery's entry points: load, one service call. They may run twice, or never be heard of."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from celery import Task, shared_task
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

from billing import clock
from billing.gateways.base import GatewayUnavailableError
from billing.services import cycle, gateway_events, payments
from billing.services import sweep as sweeper

logger = logging.getLogger(__name__)

HEARTBEAT_KEY: Final = "bursar:heartbeat"
HEARTBEAT_SECONDS: Final = 15


@shared_task
def run_cycle(**_: object) -> None:
    """Move what is due, chunk by chunk; each chunk's charges start while the next is rated."""
    now = clock.now()
    while (chunk := cycle.run_chunk(now=now)).moved:
        collect_soon(chunk.attempts)


@shared_task
def collect(*, attempt_id: str, **_: object) -> None:
    """Send one attempt to its gateway."""
    payments.collect(UUID(attempt_id), now=clock.now())


@shared_task
def handle_gateway_event(*, event_id: str, **_: object) -> None:
    """Follow one notification. Without an answer it stays unhandled, for the sweeper."""
    try:
        collect_soon(gateway_events.handle(UUID(event_id), now=clock.now()))
    except GatewayUnavailableError:
        logger.warning("No answer about notification %s; it will be taken up again.", event_id)


@shared_task
def sweep(**_: object) -> None:
    """Take up whatever was never heard of."""
    found = sweeper.sweep(now=clock.now())
    collect_soon(found.attempts)
    for event_id in found.events:
        soon(handle_gateway_event, event_id=str(event_id))


@shared_task
def heartbeat(**_: object) -> None:
    """Say that beat and a worker are alive, for `/healthz`."""
    cache.set(HEARTBEAT_KEY, clock.now().isoformat(), timeout=HEARTBEAT_SECONDS)


def collect_soon(attempt_ids: Iterable[UUID]) -> None:
    """Have attempts collected by a worker."""
    for attempt_id in attempt_ids:
        soon(collect, attempt_id=str(attempt_id))


def collect_open(customer_id: UUID) -> None:
    """Have what a command wants to charge a customer collected, once it is committed."""
    transaction.on_commit(lambda: collect_soon(payments.unsent_of(customer_id)))


def soon(task: Task[..., Any], **arguments: str) -> None:
    """Tell the queue, after the caller's commit; what it misses, the sweeper finds."""
    try:
        task.apply_async(kwargs=arguments)
    except OperationalError:
        logger.warning("The queue does not answer; %s waits for the sweeper.", task.name)
