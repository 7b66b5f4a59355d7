"""Usage, counted as it arrives, billed when a period closes, and adjusted when it comes later.

The order of locks: customer, subscription, periods (see `counting`), then values, totals, days,
each in key order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.models import BillingPeriod, UsageEvent, UsageTotal, UsageValue
from billing.models.subscription import PeriodKind
from billing.services import counting, locks, metering, uncounting
from billing.services.metering import Event, Rejection, Report, Unreadable

__all__ = [
    "Adjusted",
    "Receipt",
    "Rejection",
    "Report",
    "Unreadable",
    "close",
    "cut",
    "extend",
    "place",
    "record",
    "recount",
    "to_adjust",
]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch; accepted + duplicates + rejected are all of it."""

    accepted: int
    duplicates: int
    rejected: Sequence[Rejection]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What a closed period's components counted when they were last billed, and count now."""

    kind: PeriodKind
    billed: dict[str, Decimal] = field(default_factory=dict)
    now: dict[str, Decimal] = field(default_factory=dict)


def record(
    reports: Sequence[Report],
    *,
    now: datetime,
    only_customer: UUID | None = None,
    is_any_age_taken: bool = False,
) -> Receipt:
    """Count a batch of events, each once. What cannot be counted is told, and stops nothing.

    :param only_customer: the one customer the caller may report for; None for any.
    :param is_any_age_taken: whether somebody decided to count what is older than 60 days, too.
    """
    events, rejected = metering.understand(
        reports, now=now, only_customer=only_customer, is_any_age_taken=is_any_age_taken
    )
    accepted = _count(events, now=now) if events else 0
    return Receipt(accepted, len(events) - accepted, rejected)


def place(periods: Sequence[BillingPeriod]) -> None:
    """Count in periods that have just opened the events that were waiting for one.

    The caller holds the locks on their customers and subscriptions.
    """
    if periods:
        counting.place(periods)


def close(periods: Sequence[BillingPeriod]) -> dict[UUID, dict[str, Decimal]]:
    """Close the periods' totals and read them: period → component → quantity to bill.

    What is counted in them from now on is a difference, which `to_adjust` finds. A component that
    counted nothing gets its row too, so that the door is shut for it as well. It waits for the
    batches that are being counted: call it once in a transaction, for all periods.
    """
    components = [row for period in periods for row in _components(period)]
    totals: dict[UUID, dict[str, Decimal]] = {period.pk: {} for period in periods}
    for period_id, component, quantity in counting.close(components) if components else []:
        totals[period_id][component] = quantity
    return totals


def to_adjust(subscription_ids: Sequence[UUID]) -> dict[UUID, Adjusted]:
    """What of the subscriptions' closed periods is billed otherwise than it is counted by now.

    Period → all its components. They are billed as they are counted from here on, in the caller's
    transaction, who holds the locks on the customers. If it closes periods too, then before this.
    """
    found: dict[UUID, Adjusted] = {}
    rows = counting.claim_differences(subscription_ids) if subscription_ids else []
    for period_id, kind, component, billed, now in rows:
        adjusted = found.setdefault(period_id, Adjusted(PeriodKind(kind)))
        adjusted.billed[component], adjusted.now[component] = billed, now
    return found


def cut(period: BillingPeriod, at: datetime) -> None:
    """Let a period count only up to an instant; what is counted in it from then on waits again.

    The caller holds the locks on the customer and the subscription, and closes no total before.
    """
    if period.counts_until <= at:
        return
    counting.hold_off([period.pk])
    period.counts_until = at
    period.save(update_fields=["counts_until"])
    if UsageTotal.objects.filter(period=period, latest_at__gte=at).exists():
        ahead = UsageEvent.objects.filter(
            customer=period.customer_id, period=period, occurred_at__gte=at, withdrawn_at=None
        )
        gone = uncounting.entries(list(ahead.values_list("pk", flat=True)))
        ahead.update(period=None)
        uncounting.take_from_totals(gone)


def extend(period: BillingPeriod, until: datetime) -> None:
    """Let a period count up to a later instant, and count in it what was waiting for that.

    The caller holds the locks on the customer and the subscription.
    """
    period.counts_until = until
    period.save(update_fields=["counts_until"])
    place([period])


def recount(period: BillingPeriod) -> None:
    """Count an open period anew, whose meters, filters or time are not what they were.

    It is stored already. The caller holds the locks on the customer and the subscription.
    """
    counting.hold_off([period.pk])
    UsageEvent.objects.filter(customer=period.customer_id, period=period, withdrawn_at=None).update(
        period=None
    )
    UsageTotal.objects.filter(period=period).delete()
    UsageValue.objects.filter(period=period).delete()
    place([period])


def _components(period: BillingPeriod) -> Iterator[tuple[UUID, str, str]]:
    """Whatever events of a period may count in: (period, meter's code, component), each once."""
    found = {code: code for code in period.meters}
    found |= {row["component"]: row["meter"] for row in period.filters}
    return ((period.pk, code, component) for component, code in found.items())


@transaction.atomic(durable=True)
def _count(events: Sequence[Event], *, now: datetime) -> int:
    """Insert and count; the number of events that were new.

    An event whose meter no period counts at that instant waits for one. It may only be left
    waiting under the locks that opening or extending a period takes, so that either this finds
    the period or whoever opens it finds the event: the subscription's, or the customer's where
    there is none yet. Those come before the locks that counting takes, hence the step back.
    """
    batch = counting.columns_of(events, now=now)
    step_back = transaction.savepoint()
    accepted, waiting = counting.count(batch)
    if waiting:
        transaction.savepoint_rollback(step_back)
        counting.lock_newcomers(waiting)
        locks.live_subscriptions(waiting)
        accepted, _ = counting.count(batch)
    return accepted
