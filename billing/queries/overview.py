"""Everything the billing home shows of one customer, in a fixed number of reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from billing.core import lifecycle
from billing.core.lifecycle import InvoiceStatus
from billing.models import Invoice, PaymentAttempt, PaymentMethod, UsageDay
from billing.models.subscription import PeriodKind
from billing.queries import documents, entitlements, outlook
from billing.queries.entitlements import Rights
from billing.queries.outlook import Outlook
from billing.queries.usage import Day
from customers.models import Customer
from plans.models import Meter


@dataclass(frozen=True, slots=True)
class Overview:
    """A customer's billing at one instant of their own time.

    :param days: meter code → every day of the period so far, ending with the period's total.
    :param overdue: declined and still owed, oldest first.
    """

    present: datetime
    rights: Rights
    days: Mapping[str, Sequence[Day]]
    meters: Mapping[str, Meter]
    outlook: Outlook | None
    method: PaymentMethod | None
    overdue: Sequence[Invoice]
    recent: Sequence[Invoice]
    is_charging: bool


def of(customer: Customer, *, now: datetime, recent: int = 5) -> Overview:
    """What there is to say about a customer."""
    present = customer.lives_at(now)
    rights = entitlements.of(customer, now=now)
    method = PaymentMethod.objects.usable().filter(customer=customer, is_default=True).first()
    invoices = documents.listed(customer)
    overdue = invoices.filter(status=InvoiceStatus.CHARGED_WITH_ERROR).order_by("issued_at")
    meters = {meter.code: meter for meter in Meter.objects.all()}
    attempts = PaymentAttempt.objects.filter(
        invoice__customer=customer, status__in=lifecycle.OPEN_ATTEMPTS
    )
    return Overview(
        present=present,
        rights=rights,
        days=_days(customer, rights, present),
        meters=meters,
        outlook=_outlook(rights, method, present, meters),
        method=method,
        overdue=list(overdue),
        recent=list(invoices[:recent]),
        is_charging=attempts.exists(),
    )


def _outlook(
    rights: Rights,
    method: PaymentMethod | None,
    present: datetime,
    meters: Mapping[str, Meter],
) -> Outlook | None:
    if rights.subscription is None:
        return None
    period = rights.period
    return outlook.next_bill(
        rights.subscription,
        open_period=period if period and period.kind == PeriodKind.REGULAR else None,
        totals=rights.totals,
        meter_names={code: meter.name for code, meter in meters.items()},
        has_method=method is not None,
        now=present,
    )


def _days(customer: Customer, rights: Rights, present: datetime) -> dict[str, list[Day]]:
    """Running totals by local day, in one read for all meters.

    A day that began in the period before is counted from the period's start only: its quantity
    is what the other days leave of the period's total, so that the last running total is exact.
    """
    if rights.period is None:
        return {}
    start = rights.period.starts_at.astimezone(customer.zone).date()
    last = min(present, rights.period.ends_at).astimezone(customer.zone).date()
    dates = [start + timedelta(days=offset) for offset in range((last - start).days + 1)]
    rows = UsageDay.objects.filter(
        customer=customer, meter__code__in=rights.period.meters, day__gt=start, day__lte=last
    )
    counted = {
        (code, day): n for code, day, n in rows.values_list("meter__code", "day", "quantity")
    }
    return {
        code: _running(
            dates,
            [counted.get((code, day), Decimal(0)) for day in dates],
            rights.totals.get(code, Decimal(0)),
        )
        for code in rights.period.meters
    }


def _running(dates: Sequence[date], quantities: list[Decimal], total: Decimal) -> list[Day]:
    quantities[0] = max(total - sum(quantities[1:]), Decimal(0))
    return [
        Day(day, quantity, running)
        for day, quantity, running in zip(dates, quantities, accumulate(quantities), strict=True)
    ]
