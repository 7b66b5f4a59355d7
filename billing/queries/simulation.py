"""What the coming months bring, one subscription after the other: nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from billing.core.errors import FAULTS, NotFoundError, words
from billing.core.forecast import Foreseen
from billing.core.money import Money
from billing.core.periods import Cadence
from billing.models import Subscription
from billing.queries import prospects
from billing.queries.prospects import Basis
from customers.models import Customer
from plans.models import Plan
from plans.terms import Alignment, Interval

_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Simulated:
    """A subscription and the bills that will come of it, in order.

    :param reason: why none can be foreseen; empty where they can.
    """

    subscription: Subscription
    bills: Sequence[Foreseen] = ()
    reason: str = ""


@dataclass(slots=True)
class Sums:
    """What some invoices ask for together, in minor units of one currency."""

    invoices: int = 0
    discount: int = 0
    total: int = 0

    def add(self, other: Sums) -> None:
        """Count others in."""
        self.invoices += other.invoices
        self.discount += other.discount
        self.total += other.total

    def amounts(self, currency: str) -> tuple[Money, Money, Money]:
        """The subtotal, the discount and the total."""
        discount, total = Money(self.discount, currency), Money(self.total, currency)
        return total + discount, discount, total


@dataclass(slots=True)
class Months:
    """Month and currency → what its invoices ask for. Months are the customers' own."""

    found: dict[tuple[str, str], Sums] = field(default_factory=dict)

    def add(self, simulated: Simulated) -> None:
        """Count the bills of a subscription in."""
        for foreseen in simulated.bills:
            zone, due = foreseen.tab.agreement.zone, foreseen.bill.total
            month = f"{foreseen.at.astimezone(zone):%Y-%m}"
            sums = self.found.setdefault((month, due.currency), Sums())
            sums.add(Sums(1, foreseen.bill.discount.minor, due.minor))

    @property
    def rows(self) -> list[tuple[str, str, Sums]]:
        """Month, currency and sums, in order."""
        return [(month, currency, sums) for (month, currency), sums in sorted(self.found.items())]

    @property
    def totals(self) -> list[tuple[str, Sums]]:
        """Each currency with the sums of all months."""
        found: dict[str, Sums] = {}
        for _, currency, sums in self.rows:
            found.setdefault(currency, Sums()).add(sums)
        return sorted(found.items())


def selected(
    customers: Sequence[str] = (), plans: Sequence[str] = ()
) -> QuerySet[Subscription, Subscription]:
    """The live subscriptions of some customers, on some plans, or all.

    :param customers: ids or organization ids.
    :param plans: ids or names; a name stands for every plan that has it.
    :raises NotFoundError: naming what is unknown.
    """
    rows = Subscription.objects.live()
    if customers:
        found = {
            pk
            for text in customers
            for pk in _named(Customer.objects.all(), "organization_id", text, noun="customer")
        }
        rows = rows.filter(customer__in=found)
    if plans:
        found = {
            pk for text in plans for pk in _named(Plan.objects.all(), "name", text, noun="plan")
        }
        rows = rows.filter(plan_version__plan__in=found)
    return rows


def simulate(
    rows: QuerySet[Subscription, Subscription], *, months: int, basis: Basis, now: datetime
) -> Iterator[Simulated]:
    """The coming months of each subscription, from its customer's own present on.

    One that cannot be foreseen says why, and holds up nobody.
    """
    for chunk in prospects.chunks(rows):
        for row, prospect in prospects.of(chunk, basis=basis, now=now):
            if isinstance(prospect, str):
                yield Simulated(row, reason=prospect)
                continue
            try:
                until = after(prospect.present, months, row.customer)
                yield Simulated(row, list(prospect.bills(until)))
            except FAULTS as error:
                yield Simulated(row, reason=words(error))


def after(present: datetime, months: int, customer: Customer) -> datetime:
    """So many of the customer's months later."""
    whole = Cadence(present, Interval.MONTH, months, Alignment.ANNIVERSARY, customer.zone)
    return whole.boundary(1)


def _named(rows: QuerySet[_Row, _Row], column: str, text: str, *, noun: str) -> list[UUID]:
    """The ids of those that a text names, by id or by a column.

    :raises NotFoundError: if it names none.
    """
    named = Q(**{column: text})
    with suppress(ValueError):
        named |= Q(pk=UUID(text))
    found = list(rows.filter(named).values_list("pk", flat=True))
    if not found:
        raise NotFoundError(f"There is no {noun} {text!r}.", code="not_found")
    return found
