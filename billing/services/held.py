"""Drafts that wait for an answer about a tax number, and go on when it has come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.models import Invoice
from billing.queries import instalments, sellers, taxes
from billing.services import drafting, invoices, locks, payments
from customers.models import TestClock


def release(*, now: datetime, clock: TestClock | None = None, limit: int = 500) -> list[UUID]:
    """Finalize and charge the held drafts whose customers' numbers are answered for.

    Returns the payment attempts that wait to be collected.

    :param clock: whose customers; None for all who live in real time.
    """
    held = Invoice.objects.filter(hold_reason=drafting.TAX_NUMBER, customer__test_clock=clock)
    rows = list(held.select_related("customer").order_by("created_at")[:limit])
    return [attempt for row in _answered(rows) for attempt in _release(row.pk, now=now)]


def _answered(rows: list[Invoice]) -> Iterator[Invoice]:
    customers = list({row.customer_id: row.customer for row in rows}.values())
    issuers = sellers.of_customers([customer.pk for customer in customers])
    taxations = taxes.taxations(customers, issuers)
    return (row for row in rows if not taxations[row.customer_id].must_wait)


@transaction.atomic
def _release(invoice_id: UUID, *, now: datetime) -> list[UUID]:
    invoice = locks.invoice(invoice_id)
    if invoice.hold_reason != drafting.TAX_NUMBER:
        return []
    present = invoice.customer.lives_at(now)
    invoices.finalize([invoice], now=present)
    due = instalments.due_on([invoice], now=present)
    attempts = payments.open_attempts(due, by=invoice.created_by, now=present)
    return [attempt.pk for attempt in attempts]
