"""The billing run: what falls due by itself, for everybody, in chunks.

A chunk is one transaction: due subscriptions are claimed, moved one step in memory, and written
in bulk. Any number of runs share the work; a killed one leaves nothing behind. Running twice, or
twice at once, changes nothing: a subscription that was moved is no longer due.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Min
from uuid_utils.compat import uuid7

from billing.core import invoicing, lifecycle
from billing.core.errors import BillingError
from billing.core.invoicing import ServicePeriod
from billing.core.lifecycle import SubscriptionStatus
from billing.models import BillingPeriod, PaymentMethod, Subscription, bulk
from billing.queries import catalogue
from billing.services import invoices, journal, locks, payments, subscriptions, usage
from billing.services.invoices import Draft
from customers.models import TestClock

logger = logging.getLogger(__name__)

CHUNK: Final = 500
ENGINE: Final = "billing run"


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
    """Move up to `limit` due subscriptions one step: the end of a trial, or of a period.

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
    for row in due:
        with _blaming(row):  # what every step below reads of it
            _ = row.plan_terms, row.customer.zone
    trials = [row for row in due if row.status == SubscriptionStatus.TRIALING]
    running = [row for row in due if row.status in lifecycle.RUNNING]
    _end_trials(trials)
    attempts = _close_periods(running, now=now)
    bulk.update(due, "status", "billing_anchor", "due_at")
    return Chunk(len(due), attempts)


@contextmanager
def _blaming(subscription: Subscription) -> Iterator[None]:
    """What goes wrong in here is this subscription's own fault."""
    try:
        yield
    except (BillingError, ValueError, ArithmeticError, LookupError) as error:
        raise UnfitError(subscription.pk, str(error) or type(error).__name__) from error


def _end_trials(trials: Sequence[Subscription]) -> None:
    """Begin billing where there is a payment method; else wait for one."""
    if not trials:
        return
    periods = _open_periods(trials)
    for period in periods:
        period.closed_at = period.ends_at
    bulk.update(periods, "closed_at")
    usage.close(periods)
    added = _first_method_added(trials)
    beginning, facts = [], []
    for subscription in trials:
        anchor = subscriptions.anchor_of(subscription, added.get(subscription.customer_id))
        if anchor is not None:
            beginning.append((subscription, anchor))
            continue
        subscription.status = lifecycle.SUBSCRIPTION.after(
            subscription.status, "wait_for_payment_method"
        )
        subscription.due_at = None
        facts.append(_waiting(subscription))
    subscriptions.begin(beginning)
    journal.post(*facts)


def _close_periods(running: Sequence[Subscription], *, now: datetime) -> list[UUID]:
    """Invoice what ended, open what follows, and open attempts to charge."""
    if not running:
        return []
    periods = _open_periods(running)
    totals = usage.close(periods)
    for period in periods:
        period.closed_at = now
    bulk.update(periods, "closed_at")
    subscriptions.renew(running, periods)
    names = catalogue.meter_names({code for period in periods for code in period.meters})
    drafts = [
        _draft(
            subscription,
            period,
            ServicePeriod(period.period, period.share, totals[period.pk], names),
        )
        for subscription, period in zip(running, periods, strict=True)
    ]
    written = invoices.write(drafts, by=ENGINE, now=now)
    attempts = payments.open_attempts(written, by=ENGINE, now=now)
    invoices.finalize(written, now=now)
    return [attempt.pk for attempt in attempts]


def _draft(subscription: Subscription, period: BillingPeriod, service: ServicePeriod) -> Draft:
    with _blaming(subscription):
        terms = subscription.plan_terms
        lines = invoicing.period_lines(
            subscription.plan_name, terms, quantity=subscription.quantity, service=service
        )
        draft = Draft(subscription.customer, terms.currency, lines, period)
        _ = draft.total  # told here, while it is known whose it is
        return draft


def _open_periods(rows: Sequence[Subscription]) -> list[BillingPeriod]:
    """The open period of each subscription, in the same order."""
    found = BillingPeriod.objects.filter(subscription__in=rows, closed_at=None)
    by_subscription = {period.subscription_id: period for period in found}
    return [by_subscription[row.pk] for row in rows]


def _first_method_added(rows: Sequence[Subscription]) -> dict[UUID, datetime]:
    """Customer → when the oldest of their usable payment methods was set up."""
    methods = PaymentMethod.objects.usable().filter(customer__in=[row.customer_id for row in rows])
    return dict(methods.values_list("customer_id").annotate(Min("added_at")))


def _waiting(subscription: Subscription) -> journal.Fact:
    return journal.Fact(
        kind="TRIAL_ENDED_WITHOUT_PAYMENT_METHOD",
        key=f"subscription:{subscription.pk}:trial_ended",
        customer_id=subscription.customer_id,
        occurred_at=subscription.trial_end or subscription.created_at,
        context={"subscription": str(subscription.pk), "plan": subscription.plan_name},
    )
