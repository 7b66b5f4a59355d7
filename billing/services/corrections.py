"""Corrections of usage: an event is withdrawn, or replaced by another under its id.

Both hold for periods that are invoiced too: what is counted then differs from what was billed,
and the next invoice adjusts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as having
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.core.errors import InvalidError, NotFoundError
from billing.models import BillingPeriod, UsageEvent
from billing.services import counting, journal, locks, metering, uncounting
from billing.services.metering import Event, Payer, Report
from billing.services.uncounting import Entry


@transaction.atomic
def withdraw(
    customer: str, event_id: str, *, by: str, now: datetime, only_customer: UUID | None = None
) -> UsageEvent:
    """Let an event count nowhere. Its id stays taken; withdrawing it again changes nothing.

    :param customer: an organization's id, or the customer's.
    :param only_customer: the one customer the caller may correct; None for any.
    :raises NotFoundError: if there is no such customer, or they have no event of that id.
    """
    payer = _locked(customer, only_customer, now=now)
    event = _newest(payer.pk, event_id)
    if event.withdrawn_at is None:
        gone = uncounting.entries([event.pk])
        counting.hold_off(_placed(gone))
        uncounting.hold_days(gone)
        _withdraw(event, gone, by=by, present=payer.present)
        journal.post(_fact(event, "withdrawn", by=by, present=payer.present))
    return event


@transaction.atomic
def replace(
    report: Report, *, by: str, now: datetime, only_customer: UUID | None = None
) -> UsageEvent:
    """Withdraw an event and count another under its id; the same once more changes nothing.

    What was withdrawn counts again by this. Without `occurred_at`, it is when the one before
    occurred.

    :param only_customer: the one customer the caller may correct; None for any.
    :raises NotFoundError: if there is no such customer, or they have no event of that id.
    :raises InvalidError: if the report cannot be counted, with the code of its rejection.
    """
    payer = _locked(report.customer, only_customer, now=now)
    former = _newest(payer.pk, report.event_id)
    event = _understood(
        having(report, occurred_at=report.occurred_at or former.occurred_at), payer.pk, now=now
    )
    if _is_same(former, event):
        return former
    gone = uncounting.entries([former.pk]) if former.withdrawn_at is None else []
    counting.hold_off([*_placed(gone), *_periods_of(event)])
    uncounting.hold_days([*gone, _day_of(event)])
    if gone:
        _withdraw(former, gone, by=by, present=payer.present)
    revision = former.revision + 1
    counting.count(counting.columns_of([event], revision=revision, now=now))
    newer = _newest(payer.pk, report.event_id)
    journal.post(_fact(newer, "replaced", by=by, present=payer.present, instead_of=_said(former)))
    return newer


def _locked(name: str, only_customer: UUID | None, *, now: datetime) -> Payer:
    """Lock a customer and their subscription, so that no period opens, ends or moves."""
    payer = metering.payers_named({name}, only_customer, now=now).get(name)
    if payer is None:
        raise NotFoundError(f"There is no customer {name!r}.", code="not_found")
    locks.customer(payer.pk)
    locks.live_subscription(payer.pk)
    return payer


def _newest(customer_id: UUID, event_id: str) -> UsageEvent:
    rows = UsageEvent.objects.filter(customer=customer_id, event_id=event_id)
    event = rows.select_related("meter").order_by("-revision").first()
    if event is None:
        raise NotFoundError(f"There is no usage event {event_id!r}.", code="not_found")
    return event


def _understood(report: Report, customer_id: UUID, *, now: datetime) -> Event:
    events, rejected = metering.understand([report], now=now, only_customer=customer_id)
    if rejected:
        raise InvalidError(rejected[0].detail, code=rejected[0].code)
    return events[0]


def _is_same(former: UsageEvent, event: Event) -> bool:
    return (
        former.withdrawn_at is None
        and (former.meter_id, former.occurred_at) == (event.meter.pk, event.occurred_at)
        and (former.quantity, former.properties) == (event.quantity, event.properties)
    )


def _withdraw(event: UsageEvent, gone: Sequence[Entry], *, by: str, present: datetime) -> None:
    """Mark an event and take it from all counts, which are held."""
    event.withdrawn_at, event.withdrawn_by = present, by
    event.save(update_fields=["withdrawn_at", "withdrawn_by"])
    uncounting.take_from_totals(gone)
    uncounting.take_from_days(gone)


def _placed(gone: Sequence[Entry]) -> list[UUID]:
    return [entry.period_id for entry in gone if entry.period_id is not None]


def _periods_of(event: Event) -> list[UUID]:
    """The periods that may count an event; nobody opens another while the customer is locked."""
    held = BillingPeriod.objects.filter(customer=event.payer.pk).holding(event.occurred_at)
    return list(held.values_list("pk", flat=True))


def _day_of(event: Event) -> Entry:
    """What of an event its day needs to know."""
    return Entry(
        period_id=None,
        customer_id=event.payer.pk,
        meter_id=event.meter.pk,
        aggregation=event.meter.aggregation,
        component=event.meter.code,
        value=None,
        quantity=event.quantity,
        day=event.day,
    )


def _said(event: UsageEvent) -> dict[str, Any]:
    """What an event says, but for its properties and its id, which may name people."""
    return {
        "revision": event.revision,
        "meter": event.meter.code,
        "quantity": str(event.quantity),
        "occurred_at": event.occurred_at.isoformat(),
    }


def _fact(
    event: UsageEvent, verb: str, *, by: str, present: datetime, **context: Any
) -> journal.Fact:
    return journal.Fact(
        kind=f"USAGE_{verb.upper()}",
        key=f"usage_event:{event.pk}:{verb}",
        customer_id=event.customer_id,
        occurred_at=present,
        context={"event": event.pk, **_said(event), **context, "by": by},
    )
