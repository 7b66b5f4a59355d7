"""The billing run: what falls due by itself, for everybody, in chunks.

A chunk is one transaction: due subscriptions are claimed, moved one step in memory, and written
in bulk. Any number of runs share the work; a killed one leaves nothing behind. Running twice, or
twice at once, changes nothing: a subscription that was moved is no longer due.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Min
from uuid_utils.compat import uuid7

from billing.core.errors import FAULTS, words
from billing.models import PaymentMethod, Subscription
from billing.queries import agreements
from billing.queries.agreements import Standing
from billing.services import journal, locks, schedule
from billing.services import steps as stepping
from billing.services.steps import Step
from customers.models import TestClock

logger = logging.getLogger(__name__)

CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one chunk did: subscriptions moved, and attempts that wait to be collected."""

    moved: int
    attempts: Sequence[UUID]


class UnfitError(Exception):
    """A subscription that cannot be moved, because of what it says itself."""

    def __init__(self, subscription_id: UUID, reason: str) -> None:
        super().__init__(f"{subscription_id}: {reason}")
        self.subscription_id = subscription_id
        self.reason = reason


def run_chunk(*, now: datetime, clock: TestClock | None = None, limit: int = CHUNK) -> Chunk:
    """Move up to `limit` due subscriptions one step: the end of a trial or a period, a change.

    A subscription that is several periods behind is moved by as many chunks. One that cannot be
    moved is set aside with the reason and holds up nobody else.

    :param clock: whose customers; None for all who live in real time.
    """
    while True:
        try:
            return _move(now=now, clock=clock, limit=limit)
        except UnfitError as unfit:
            logger.exception("A subscription is set aside: %s", unfit.subscription_id)
            Subscription.objects.filter(pk=unfit.subscription_id).update(
                stalled_reason=unfit.reason[:500]
            )


@transaction.atomic
def resume(subscription_id: UUID, *, by: str, now: datetime) -> None:
    """Let the cycle try a subscription again that was set aside. Where none was, nothing happens.

    :raises NotFoundError: if there is no such subscription.
    """
    subscription = locks.subscription(subscription_id)
    if not subscription.stalled_reason:
        return
    journal.post(
        journal.Fact(
            kind="SUBSCRIPTION_RESUMED_BY_OPERATOR",
            key=f"subscription:{subscription.pk}:resumed:{uuid7()}",
            customer_id=subscription.customer_id,
            occurred_at=subscription.customer.lives_at(now),
            context={"reason": subscription.stalled_reason, "by": by},
        )
    )
    subscription.stalled_reason = ""
    subscription.save(update_fields=["stalled_reason"])


def run(*, now: datetime, clock: TestClock | None = None, limit: int = CHUNK) -> list[Chunk]:
    """Run chunks until nothing is due any more."""
    chunks = []
    while (chunk := run_chunk(now=now, clock=clock, limit=limit)).moved:
        chunks.append(chunk)
    return chunks


@transaction.atomic(durable=True)
def _move(*, now: datetime, clock: TestClock | None, limit: int) -> Chunk:
    due = locks.due_subscriptions(now, clock, limit=limit)
    if not due:
        return Chunk(0, [])
    for row in due:
        with _blaming(row):  # what every step below reads of it
            _ = row.plan_terms, row.customer.zone
    added = _first_method_added([row for row in due if row.billing_anchor is None])
    steps = [_step(standing, added) for standing in agreements.standings(due)]
    attempts = stepping.take(steps, by=schedule.ENGINE, now=now, blaming=_blaming)
    return Chunk(len(due), attempts)


def _step(standing: Standing, added: Mapping[UUID, datetime]) -> Step:
    with _blaming(standing.subscription):
        return schedule.due_step(standing, added.get(standing.subscription.customer_id))


@contextmanager
def _blaming(subscription: Subscription) -> Iterator[None]:
    """What goes wrong in here is this subscription's own fault."""
    try:
        yield
    except FAULTS as error:
        raise UnfitError(subscription.pk, words(error)) from error


def _first_method_added(rows: Sequence[Subscription]) -> dict[UUID, datetime]:
    """Customer → when the oldest of their usable payment methods was set up."""
    methods = PaymentMethod.objects.usable().filter(customer__in=[row.customer_id for row in rows])
    return dict(methods.values_list("customer_id").annotate(Min("added_at")))
