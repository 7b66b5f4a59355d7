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
from billing.queries import taxes
from billing.services import (
    cycle,
    gateway_events,
    notices,
    payments,
    prepaid,
    processing,
    recognition,
    refunds,
    sealing,
)
from billing.services import sweep as sweeper
from customers import tax_ids

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
def refund(*, refund_id: str, **_: object) -> None:
    """Send one refund to its gateway."""
    refunds.collect(UUID(refund_id), now=clock.now())


@shared_task
def handle_gateway_event(*, event_id: str, **_: object) -> None:
    """Follow one notification. Without an answer it stays unhandled, for the sweeper."""
    try:
        collect_soon(gateway_events.handle(UUID(event_id), now=clock.now()))
    except GatewayUnavailableError:
        logger.warning("No answer about notification %s; it will be taken up again.", event_id)


@shared_task
def mail_notice(*, notice_id: str, **_: object) -> None:
    """Mail one dunning notice. What cannot be sent now is left to the sweeper."""
    notices.mail(int(notice_id), now=clock.now())


@shared_task
def draw_prepaid(*, customer_id: str, **_: object) -> None:
    """Draw credit for what a customer used, and charge the top-up that this may bring."""
    collect_soon(prepaid.draw(UUID(customer_id), now=clock.now()))


@shared_task
def recognize(**_: object) -> None:
    """Earn what the days that are over have earned."""
    recognition.recognize(now=clock.now())


@shared_task
def seal(**_: object) -> None:
    """Seal what the journal has that is new, and let the processors digest it."""
    sealing.seal(now=clock.now())
    soon(digest)


@shared_task
def digest(**_: object) -> None:
    """Let the processors digest what is sealed."""
    processing.digest()


@shared_task
def sweep(**_: object) -> None:
    """Take up whatever was never heard of."""
    found = sweeper.sweep(now=clock.now())
    collect_soon(found.attempts)
    refund_soon(found.refunds)
    for event_id in found.events:
        soon(handle_gateway_event, event_id=str(event_id))
    for notice_id in found.notices:
        soon(mail_notice, notice_id=str(notice_id))
    draw_soon(found.prepaying)


@shared_task
def check_tax_ids(**_: object) -> None:
    """Ask about the tax numbers that are due."""
    while tax_ids.check_due(now=clock.now(), own=taxes.own_vat_id()):
        pass


@shared_task
def heartbeat(**_: object) -> None:
    """Say that beat and a worker are alive, for `/healthz`."""
    cache.set(HEARTBEAT_KEY, clock.now().isoformat(), timeout=HEARTBEAT_SECONDS)


def collect_soon(attempt_ids: Iterable[UUID]) -> None:
    """Have attempts collected by a worker."""
    for attempt_id in attempt_ids:
        soon(collect, attempt_id=str(attempt_id))


def refund_soon(refund_ids: Iterable[UUID]) -> None:
    """Have refunds sent by a worker."""
    for refund_id in refund_ids:
        soon(refund, refund_id=str(refund_id))


def draw_soon(customer_ids: Iterable[UUID]) -> None:
    """Have a worker draw credit for what customers used."""
    for customer_id in customer_ids:
        soon(draw_prepaid, customer_id=str(customer_id))


def collect_open(customer_id: UUID) -> None:
    """Have what a command wants to charge a customer collected, once it is committed."""
    transaction.on_commit(lambda: collect_soon(payments.unsent_of(customer_id)))


def soon(task: Task[..., Any], **arguments: str) -> None:
    """Tell the queue, after the caller's commit; what it misses, the sweeper finds."""
    try:
        task.apply_async(kwargs=arguments)
    except OperationalError:
        logger.warning("The queue does not answer; %s waits for the sweeper.", task.name)
