"""Everything the billing home shows of one customer, in a fixed number of reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q

from billing.core import lifecycle
from billing.core.charging import Counted
from billing.core.lifecycle import InvoiceStatus
from billing.models import Invoice, PaymentAttempt, PaymentMethod
from billing.queries import agreements, arrears, documents, entitlements, outlook, usage
from billing.queries.arrears import Arrear
from billing.queries.entitlements import Rights
from billing.queries.outlook import Outlook
from billing.queries.usage import Day
from customers.models import Customer
from plans.models import Meter

_CHARGING: Final = "is_charging"


@dataclass(frozen=True, slots=True)
class Overview:
    """A customer's billing at one instant of their own time.

    :param days: meter code → every day of the period so far, ending with the period's total.
    :param overdue: declined or past its day, and still owed, oldest first.
    :param arrears: the same, with what was tried and what comes.
    """

    present: datetime
    rights: Rights
    days: Mapping[str, Sequence[Day]]
    meters: Mapping[str, Meter]
    outlook: Outlook | None
    method: PaymentMethod | None
    overdue: Sequence[Invoice]
    arrears: Sequence[Arrear]
    recent: Sequence[Invoice]
    is_charging: bool


def of(customer: Customer, *, now: datetime, recent: int = 5) -> Overview:
    """What there is to say about a customer."""
    present = customer.lives_at(now)
    rights = entitlements.of(customer, now=now)
    method = PaymentMethod.objects.usable().filter(customer=customer, is_default=True).first()
    meters = {meter.code: meter for meter in Meter.objects.all()}
    found = _invoices(customer, recent)
    invoices = [row for row, _ in found]
    overdue = [row for row in reversed(invoices) if row.status == InvoiceStatus.CHARGED_WITH_ERROR]
    return Overview(
        present=present,
        rights=rights,
        days=_days(customer, rights, meters, present),
        meters=meters,
        outlook=foreseen(rights, method, present, meters),
        method=method,
        overdue=overdue,
        arrears=arrears.of(overdue, now=present),
        recent=invoices[:recent],
        is_charging=any(is_charging for _, is_charging in found),
    )


def _invoices(customer: Customer, recent: int) -> list[tuple[Invoice, bool]]:
    """The newest and all that are owed, newest first, and whether each is being charged."""
    listed = documents.listed(customer)
    newest = listed.values("pk")[:recent]
    attempts = PaymentAttempt.objects.filter(
        invoice=OuterRef("pk"), status__in=lifecycle.OPEN_ATTEMPTS
    )
    rows = listed.filter(Q(pk__in=newest) | Q(status__in=lifecycle.COLLECTIBLE))
    return [
        (row, getattr(row, _CHARGING)) for row in rows.annotate(**{_CHARGING: Exists(attempts)})
    ]


def foreseen(
    rights: Rights,
    method: PaymentMethod | None,
    present: datetime,
    meters: Mapping[str, Meter],
) -> Outlook | None:
    """The customer's next bill as it stands now; None where nothing is foreseeable.

    :param meters: every meter by its code.
    """
    if rights.subscription is None:
        return None
    return outlook.next_bill(
        agreements.standing(rights.subscription, period=rights.period),
        counted=Counted(
            rights.usage.by_component, {code: meter.name for code, meter in meters.items()}
        ),
        has_method=method is not None,
        now=present,
    )


def _days(
    customer: Customer, rights: Rights, meters: Mapping[str, Meter], present: datetime
) -> Mapping[str, Sequence[Day]]:
    if rights.period is None:
        return {}
    aggregations = {code: meter.aggregation for code, meter in meters.items()}
    return usage.days_of_period(
        rights.period, rights.usage, aggregations, zone=customer.zone, until=present
    )
