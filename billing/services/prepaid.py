"""Prepaid usage: credit is drawn for it as it happens, and bought again where that is agreed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.queries import prepaid
from billing.services import credit_sales, drawing, locks, prepaid_usage
from customers.models import Customer, TestClock


@transaction.atomic
def draw(customer_id: UUID, *, now: datetime) -> list[UUID]:
    """Draw what a customer's prepaid usage costs by now, or give back what it costs no more.

    Again is the same as once: only what the running charge differs from what was drawn moves.
    Returns the payment attempts that wait to be collected, where credit is bought by itself.

    :raises NotFoundError: if there is no such customer.
    """
    customer = locks.customer(customer_id)
    present = customer.lives_at(now)
    catch_up(customer, now=present)
    attempt = credit_sales.top_up(customer, now=present)
    return [] if attempt is None else [attempt.pk]


def catch_up(customer: Customer, *, now: datetime, by: str = "") -> None:
    """Draw for usage, or give back, in a transaction of the caller's, who holds the lock.

    :param now: the customer's present, or an instant before, whose grants are to be drawn.
    """
    rows = prepaid.running(customer, now=now)
    for row in rows:
        if row.missing.minor < 0:
            prepaid_usage.give_back(row, by=by, now=now)
    wanting = [row for row in rows if row.missing.minor > 0]
    purses = drawing.usable([customer.pk] if wanting else [], now=now)
    for row in wanting:
        prepaid_usage.draw(row, purses, by=by, now=now)


def draw_all(clock: TestClock) -> None:
    """Draw for everybody who lives by a test clock, as the workers would by and by."""
    for customer_id in prepaid.customers_of(clock):
        draw(customer_id, now=clock.now)
