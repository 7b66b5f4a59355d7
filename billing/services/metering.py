"""What callers report, understood: whose it is, on which meter, when, and how much it counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from billing.core import figures
from customers.models import Customer, ids_among
from plans import prices
from plans.models import Meter

OLDEST: Final = timedelta(days=60)
FUTURE: Final = timedelta(minutes=5)
LONGEST_VALUE: Final = 255
TOO_OLD: Final = "too_old"


@dataclass(frozen=True, slots=True)
class Report:
    """One event as a caller reports it.

    :param event_id: the caller's own id; the same one again is a duplicate, whatever it says.
    :param customer: an organization's id, or the customer's.
    :param quantity: what it counts, unless the meter reads a property or counts events.
    :param occurred_at: None for the customer's present.
    :param properties: as JSON has them.
    :param received_at: when it was first reported, by which its age is judged; None for just now.
    """

    event_id: str
    customer: str
    meter: str
    quantity: Decimal
    occurred_at: datetime | None = None
    properties: Mapping[str, Any] | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What came in an event's place and is no report: why, and what came, as JSON has it.

    The event's id, its customer and its meter are there as far as it says them.
    """

    code: str
    detail: str
    event: Any
    event_id: str = ""
    customer: str = ""
    meter: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one event of a batch was not taken, and whose it is, where that is known."""

    index: int
    code: str
    detail: str
    event_id: str = ""
    customer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Payer:
    """A customer, as far as counting needs to know them."""

    pk: UUID
    zone: ZoneInfo
    present: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """A report that can be counted. `quantity` is what it adds, however it was reported."""

    payer: Payer
    meter: Meter
    report: Report
    occurred_at: datetime
    quantity: Decimal

    @property
    def day(self) -> date:
        """The customer's local day it occurred on."""
        return self.occurred_at.astimezone(self.payer.zone).date()

    @property
    def properties(self) -> dict[str, Any]:
        """Those it was reported with."""
        return dict(self.report.properties or {})


class _RefusedError(Exception):
    """What stands in a report cannot be counted: a code and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def understand(
    reports: Sequence[Report],
    *,
    now: datetime,
    only_customer: UUID | None = None,
    is_any_age_taken: bool = False,
) -> tuple[list[Event], list[Rejection]]:
    """The reports that can be counted, and what is wrong with the others.

    :param only_customer: the one customer the caller may report for; None for any.
    :param is_any_age_taken: whether somebody decided to count what is older than 60 days, too.
    """
    payers = payers_named({report.customer for report in reports}, only_customer, now=now)
    meters = {
        meter.code: meter
        for meter in Meter.objects.filter(code__in={report.meter for report in reports})
    }
    events: list[Event] = []
    rejected: list[Rejection] = []
    for index, report in enumerate(reports):
        payer, meter = payers.get(report.customer), meters.get(report.meter)
        try:
            event = _event(report, payer, meter, now=now)
            if not is_any_age_taken:
                _require_young(event, now=now)
            events.append(event)
        except _RefusedError as refused:
            whose = None if payer is None else payer.pk
            rejected.append(Rejection(index, refused.code, refused.detail, report.event_id, whose))
    return events, rejected


def payers_named(
    names: Collection[str], only_customer: UUID | None, *, now: datetime
) -> dict[str, Payer]:
    """Customers by every name a report may use for them."""
    named = Q(organization_id__in=names) | Q(pk__in=ids_among(names))
    rows = Customer.objects.filter(named, erased_at=None).annotate(
        present=Coalesce("test_clock__now", Value(now))
    )
    return {
        name: payer
        for pk, organization_id, zone, present in rows.values_list(
            "pk", "organization_id", "timezone", "present"
        )
        if only_customer in {None, pk}
        for payer in [Payer(pk, ZoneInfo(zone), present)]
        for name in (str(pk), organization_id)
    }


def _event(report: Report, payer: Payer | None, meter: Meter | None, *, now: datetime) -> Event:
    if payer is None:
        raise _RefusedError("unknown_customer", f"There is no customer {report.customer!r}.")
    if meter is None:
        raise _RefusedError("unknown_meter", f"There is no meter {report.meter!r}.")
    occurred_at = report.occurred_at or _received_at(report, payer, now=now)
    quantity = _quantity(report, meter)
    if occurred_at > payer.present + FUTURE:
        raise _RefusedError("in_the_future", "The event is over 5 minutes in the future.")
    return Event(payer, meter, report, occurred_at, quantity)


def _require_young(event: Event, *, now: datetime) -> None:
    received_at = _received_at(event.report, event.payer, now=now)
    if event.occurred_at < received_at - OLDEST:
        raise _RefusedError(TOO_OLD, "The event was older than 60 days when it was reported.")


def _received_at(report: Report, payer: Payer, *, now: datetime) -> datetime:
    """When a report came first, by the customer's clock."""
    return payer.present - (now - report.received_at if report.received_at else timedelta(0))


def _quantity(report: Report, meter: Meter) -> Decimal:
    """What an event adds to its meter; an event of unique values counts as one of them."""
    value = _property(report, meter)
    if meter.aggregation == Meter.Aggregation.UNIQUE:
        _require_value(value, meter.field)
        return Decimal(1)
    if meter.aggregation == Meter.Aggregation.COUNT:
        return Decimal(1)
    if meter.field:
        number = _number(value)
        if number is None or not prices.is_rate(number):
            raise _RefusedError(
                "invalid_property",
                f"The property {meter.field!r} is a number that is not negative, with at most 15"
                " digits before the point and 12 after it.",
            )
        return number
    if not prices.is_rate(report.quantity):
        raise _RefusedError(
            "invalid_quantity",
            "The quantity must not be negative, and has at most 15 digits before the point and"
            " 12 after it.",
        )
    return report.quantity


def _property(report: Report, meter: Meter) -> Any:
    """The property that the meter reads, if it reads one."""
    value = (report.properties or {}).get(meter.field) if meter.field else None
    if meter.field and value is None:
        raise _RefusedError("missing_property", f"There is no property {meter.field!r}.")
    return value


def _require_value(value: Any, name: str) -> None:
    """Refuse what is no text, or too long a one to be looked for."""
    number = None if isinstance(value, str) else _number(value)
    text = value if number is None or not number.is_finite() else figures.plain(number)
    if isinstance(value, bool) or (isinstance(text, str) and 0 < len(text) <= LONGEST_VALUE):
        return
    raise _RefusedError(
        "invalid_property",
        f"The property {name!r} is a text of 1 to {LONGEST_VALUE} characters, or a number.",
    )


def _number(value: Any) -> Decimal | None:
    """The exact number that a property is: JSON's own, or a text of one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
