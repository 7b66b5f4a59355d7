"""Unpaid invoices as their customer sees them: what is owed, what was tried, what comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.core.dunning import DunningPolicy, DunningStatus
from billing.core.lifecycle import AttemptStatus
from billing.core.money import Money
from billing.models import DunningRun, Invoice, PaymentAttempt
from billing.queries import instalments


@dataclass(frozen=True, slots=True)
class Arrear:
    """An invoice that was not paid when it should have been.

    :param owed: what of it is to be paid by now.
    :param declined: the charges that failed, oldest first, with their payment methods.
    :param run: what is being done about it; None while nothing is.
    """

    invoice: Invoice
    owed: Money
    declined: Sequence[PaymentAttempt]
    run: DunningRun | None

    @property
    def terms(self) -> DunningPolicy | None:
        """By which it is done."""
        return None if self.run is None else DunningPolicy.from_json(self.run.terms)


def of(invoices: Sequence[Invoice], *, now: datetime) -> list[Arrear]:
    """What there is to say about each, in their order; free where there are none."""
    if not invoices:
        return []
    declined: dict[object, list[PaymentAttempt]] = {}
    attempts = PaymentAttempt.objects.filter(invoice__in=invoices, status=AttemptStatus.FAILED)
    for attempt in attempts.select_related("payment_method").order_by("settled_at", "pk"):
        declined.setdefault(attempt.invoice_id, []).append(attempt)
    running = DunningRun.objects.filter(invoice__in=invoices, status=DunningStatus.RUNNING)
    runs = {run.invoice_id: run for run in running}
    return [
        Arrear(invoice, owed, declined.get(invoice.pk, []), runs.get(invoice.pk))
        for invoice, owed in instalments.due_on(invoices, now=now)
    ]
