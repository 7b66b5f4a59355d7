"""What was used, by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing.models import UsageDay
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Day:
    """One local day's count, and the running total from the first day asked for."""

    day: date
    quantity: Decimal
    running: Decimal


def by_day(customer: Customer, meter: str, *, start: date, end: date) -> Sequence[Day]:
    """Every local day from `start` up to, but not including, `end`; empty days are zero."""
    counted = dict(
        UsageDay.objects.filter(
            customer=customer, meter__code=meter, day__gte=start, day__lt=end
        ).values_list("day", "quantity")
    )
    days, running = [], Decimal(0)
    for offset in range((end - start).days):
        day = start + timedelta(days=offset)
        quantity = counted.get(day, Decimal(0))
        running += quantity
        days.append(Day(day, quantity, running))
    return days
