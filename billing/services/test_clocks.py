"""Test clocks: a customer's whole life in seconds, by the production code."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.errors import ConflictError, InvalidError, NotFoundError
from billing.models import CreditGrant, Invoice, PaymentAttempt, Refund, Subscription
from billing.queries import dunning
from billing.services import (
    cycle,
    dunning_days,
    entitlement_changes,
    grants,
    held,
    locks,
    payments,
    prepaid,
    recognition,
    refunds,
)
from customers.models import Customer, TestClock


def create(*, now: datetime) -> TestClock:
    """A clock that stands at `now` until it is advanced."""
    return TestClock.objects.create(now=now)


@transaction.atomic
def give(customer_id: UUID, *, now: datetime) -> TestClock:
    """Let a customer live by a clock of their own from here on; the one they have, if any."""
    customer = locks.customer(customer_id)
    if customer.test_clock is None:
        customer.test_clock = create(now=now)
        customer.save(update_fields=["test_clock"])
    return customer.test_clock


@transaction.atomic
def release(customer_id: UUID, *, now: datetime) -> None:
    """Let a customer live in real time again.

    :raises ConflictError: if their clock is ahead of it: their past would lie in the future.
    """
    customer = locks.customer(customer_id)
    if customer.test_clock is not None and customer.test_clock.now > now:
        raise ConflictError("The test clock is ahead of real time.", code="clock_ahead")
    customer.test_clock = None
    customer.save(update_fields=["test_clock"])


def advance(clock_id: UUID, *, to: datetime) -> TestClock:
    """Do all that would have happened until `to`, in order. Again is the same as once.

    Each thing happens at its own instant: the clock is moved from one to the next, so that an
    advance that was interrupted goes on where it stopped.

    :raises NotFoundError: if there is no such clock.
    :raises InvalidError: if `to` is before the clock's present.
    :raises ConflictError: if it is being advanced already.
    """
    with locks.alone("test_clock", clock_id) as is_ours:
        if not is_ours:
            raise ConflictError("The clock is being advanced.", code="clock_advancing")
        clock = TestClock.objects.filter(pk=clock_id).first()
        if clock is None:
            raise NotFoundError(f"There is no test clock {clock_id}.", code="not_found")
        if to < clock.now:
            raise InvalidError("A clock cannot go back.", code="clock_cannot_go_back")
        prepaid.draw_all(clock)
        held.release(now=clock.now, clock=clock)
        _collect(clock)
        while (due := _next_due(clock, to)) is not None:
            _step(clock, max(due, clock.now))
        _move(clock, to)
        recognition.recognize(now=to, clock=clock)
        entitlement_changes.mark(Customer.objects.filter(test_clock=clock))
        return clock


def _step(clock: TestClock, instant: datetime) -> None:
    """Everything that is due at one instant, its charges included."""
    _move(clock, instant)
    grants.expire_due(now=instant, clock=clock)
    cycle.run(now=instant, clock=clock)
    held.release(now=instant, clock=clock)
    payments.retry_due(now=instant, clock=clock)
    dunning_days.overdue(now=instant, clock=clock)
    dunning_days.step(now=instant, clock=clock)
    prepaid.draw_all(clock)
    _collect(clock)


def _move(clock: TestClock, instant: datetime) -> None:
    clock.now = instant
    clock.save(update_fields=["now"])


def _next_due(clock: TestClock, until: datetime) -> datetime | None:
    """The next instant at which something happens by itself."""
    subscription = Subscription.objects.due(until, clock).order_by("due_at")
    invoice = Invoice.objects.due_for_charge(until, clock).order_by("next_charge_at")
    grant = CreditGrant.objects.expired(until).filter(customer__test_clock=clock)
    instants = [
        subscription.values_list("due_at", flat=True).first(),
        invoice.values_list("next_charge_at", flat=True).first(),
        dunning.next_due(until, clock),
        grant.order_by("expires_at").values_list("expires_at", flat=True).first(),
    ]
    return min((instant for instant in instants if instant is not None), default=None)


def _collect(clock: TestClock) -> None:
    """Send the charges and refunds that wait, as workers would by and by, and wait for theirs."""
    customers = Customer.objects.filter(test_clock=clock)
    attempts = PaymentAttempt.objects.unsent().filter(invoice__customer__in=customers)
    for attempt_id in list(attempts.order_by("created_at").values_list("pk", flat=True)):
        if payments.collect(attempt_id, now=clock.now) is None:
            locks.until_free("attempt", attempt_id)
    unsent = Refund.objects.unsent().filter(customer__in=customers)
    for refund_id in list(unsent.order_by("created_at").values_list("pk", flat=True)):
        if refunds.collect(refund_id, now=clock.now) is None:
            locks.until_free("refund", refund_id)
