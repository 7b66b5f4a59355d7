"""Celery's entry points: load, one service call. They may run twice, or never be heard of."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from celery import Task, shared_task
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

from billing import clock
from billing.core.errors import BillingError
from billing.gateways import registry
from billing.gateways.base import GatewayUnavailableError
from billing.queries import taxes
from billing.services import (
    cycle,
    deliveries,
    delivering,
    entitlement_changes,
    following,
    gateway_events,
    notices,
    payer_actions,
    payments,
    portal,
    prepaid,
    processing,
    recognition,
    reconciling,
    refunds,
    rejections,
    sealing,
    settlements,
    telling,
    webhook_endpoints,
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
def ask_charge(*, attempt_id: str, **_: object) -> None:
    """Ask what became of a charge that waits at its gateway."""
    following.charge(UUID(attempt_id), now=clock.now())


@shared_task
def ask_refund(*, refund_id: str, **_: object) -> None:
    """Ask what became of a refund that is on its way."""
    following.refund(UUID(refund_id), now=clock.now())


@shared_task
def ask_setup(*, session_id: str, **_: object) -> None:
    """Ask how a visit to a gateway's page went."""
    settled = following.setup(UUID(session_id), now=clock.now())
    if settled is not None:
        collect_soon(settled.attempts)


@shared_task
def expire_action(*, attempt_id: str, **_: object) -> None:
    """Give up a payment that waited for its payer in vain. No answer: the sweeper comes again."""
    try:
        payer_actions.expire(UUID(attempt_id), now=clock.now())
    except BillingError as error:
        logger.warning("Attempt %s could not be withdrawn: %s.", attempt_id, error.code)


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
def tell(*, notice_id: str, **_: object) -> None:
    """Mail one other notice. What cannot be sent now is left to the sweeper."""
    notices.tell(UUID(notice_id), now=clock.now())


@shared_task
def tell_of_entitlements(**_: object) -> None:
    """Announce whose entitlements changed, batch by batch."""
    while entitlement_changes.tell(now=clock.now()):
        pass


@shared_task
def tell_of_expiry(**_: object) -> None:
    """Write down whose payment method expires soon; the sweeper has it mailed."""
    telling.expiring_methods(now=clock.now())


@shared_task
def take_over_settlements(*, days: int = 7, **_: object) -> None:
    """Take over what gateways kept and paid out lately."""
    now = clock.now()
    for gateway in settlements.reporting():
        try:
            settlements.take_over(gateway, since=now - timedelta(days=days), now=now)
        except GatewayUnavailableError:
            logger.warning("No answer from %s about what it kept; later again.", gateway)


@shared_task
def reconcile(*, days: int = 2, **_: object) -> None:
    """Mend what notifications that never came have left."""
    now = clock.now()
    for gateway in registry.offered():
        try:
            found = reconciling.reconcile(gateway, since=now - timedelta(days=days), now=now)
        except GatewayUnavailableError:
            logger.warning("No answer from %s; it is reconciled another day.", gateway)
            continue
        collect_soon(found.attempts)
        for one in found.differences:
            logger.warning(
                "%s has %s %s as %s; here it was %s, %s.",
                gateway,
                one.noun,
                one.external_id,
                one.theirs,
                one.ours,
                "mended" if one.is_mended else "and is",
            )


@shared_task
def prune(**_: object) -> None:
    """Forget notifications, calls, visits and rejected usage that are older than they are kept."""
    now = clock.now()
    gateway_events.prune(now=now)
    portal.prune(now=now)
    rejections.prune(now=now)
    deliveries.prune(now=now)
    webhook_endpoints.reseal(now=now)


@shared_task
def deliver(**_: object) -> None:
    """Send the notifications that are due."""
    delivering.run(now=clock.now())


@shared_task
def report_endpoint(*, endpoint_id: str, **_: object) -> None:
    """Mail operators of an endpoint that we disabled, unless the sweeper has to."""
    notices.report(UUID(endpoint_id), now=clock.now())


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
    _each(handle_gateway_event, "event_id", found.events)
    _each(mail_notice, "notice_id", found.notices)
    draw_soon(found.prepaying)
    _each(ask_charge, "attempt_id", found.asked)
    _each(ask_refund, "refund_id", found.returns)
    _each(ask_setup, "session_id", found.visits)
    _each(expire_action, "attempt_id", found.expired)
    _each(tell, "notice_id", found.told)
    _each(report_endpoint, "endpoint_id", found.disabled)


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
    _each(collect, "attempt_id", attempt_ids)


def refund_soon(refund_ids: Iterable[UUID]) -> None:
    """Have refunds sent by a worker."""
    _each(refund, "refund_id", refund_ids)


def draw_soon(customer_ids: Iterable[UUID]) -> None:
    """Have a worker draw credit for what customers used."""
    _each(draw_prepaid, "customer_id", customer_ids)


def deliver_soon() -> None:
    """Have what was just written sent now, and not with the next beat."""
    transaction.on_commit(lambda: soon(deliver))


def collect_open(customer_id: UUID) -> None:
    """Have what a command wants to charge a customer collected, once it is committed."""
    transaction.on_commit(lambda: collect_soon(payments.unsent_of(customer_id)))


def _each(task: Task[..., Any], argument: str, keys: Iterable[object]) -> None:
    for key in keys:
        soon(task, **{argument: str(key)})


def soon(task: Task[..., Any], **arguments: str) -> None:
    """Tell the queue, after the caller's commit; what it misses, the sweeper finds."""
    try:
        task.apply_async(kwargs=arguments)
    except OperationalError:
        logger.warning("The queue does not answer; %s waits for the sweeper.", task.name)
