"""Tells the world when a customer's entitlements change, and how far usage has come.

Whatever may change them leaves a mark in its own transaction: a fact in the journal, a total that
has come to where something is worth telling. A worker takes the marks away, compares what is true
with what was told last, and announces the difference in the transaction that notes it as told.
What nobody was told is found again, whatever dies in between; what only time changes has its
instant (`check_at`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from billing.core import entitlements as rules
from billing.core import figures, thresholds
from billing.core.events import Announcement
from billing.core.lifecycle import RUNNING
from billing.models import EntitlementMark, EntitlementState, UsageTotal, bulk
from billing.queries import entitlements, usage
from billing.queries.entitlements import Right
from billing.queries.usage import PeriodUsage
from billing.services import locks, outgoing
from customers.models import Customer

BATCH: Final = 200
# A period that is over may wait some seconds for the next one to be opened.
_UNTIL_RENEWED: Final = timedelta(seconds=30)
# No total comes so far: there is nothing more to be told of it.
_NEVER: Final = Decimal(10) ** 25
_COMPARED: Final = ("granted", "reason", "limit")


@dataclass(frozen=True, slots=True)
class _Meter:
    """A meter with a limit, and how far it has come."""

    period_id: UUID
    code: str
    limit: Fraction
    used: Decimal

    @property
    def missing(self) -> Fraction | None:
        """How much more of it is worth telling; None if nothing ever is."""
        target = thresholds.next_at(self.used, self.limit, settings.USAGE_THRESHOLDS)
        return None if target is None else target - Fraction(self.used)


def mark(customers: QuerySet[Customer]) -> None:
    """Have some customers looked at, in the transaction of the caller's."""
    ids = customers.values_list("pk", flat=True)
    bulk.insert(EntitlementMark(customer_id=customer_id) for customer_id in ids)


@transaction.atomic
def tell(*, now: datetime, limit: int = BATCH) -> int:
    """Announce what is not as it was told last; how many customers were looked at.

    Those who are marked, and those whose time has come.
    """
    customer_ids = _claimed(now, limit)
    if not customer_ids:
        return 0
    EntitlementState.objects.bulk_create(
        [EntitlementState(customer_id=customer_id) for customer_id in sorted(customer_ids)],
        ignore_conflicts=True,
    )
    states = locks.entitlement_states(customer_ids)
    rights = entitlements.rights(customer_ids, now=now)
    used = usage.totals([right.period_id for right in rights.values() if right.period_id])
    watched: dict[tuple[UUID, str], Fraction | None] = {}
    told: list[Announcement] = []
    for state in states:
        right = rights[state.customer_id]
        counted = used[right.period_id] if right.period_id else PeriodUsage()
        told += _look(state, right, counted)
        meters = list(_meters(right, counted))
        told += _look_at_meters(state, right, meters)
        watched |= {(meter.period_id, meter.code): meter.missing for meter in meters}
    outgoing.announce_all(told)
    bulk.update(states, "told", "period", "thresholds", "check_at")
    _watch(list(used), watched)
    return len(states)


def _claimed(now: datetime, limit: int) -> set[UUID]:
    """Whom to look at. Marks that come from here on are of what comes from here on."""
    marks = locks.entitlement_marks(limit)
    EntitlementMark.objects.filter(pk__in=[found.pk for found in marks]).delete()
    due = EntitlementState.objects.filter(check_at__lte=now, customer__test_clock=None)
    waiting = due.order_by("check_at").values_list("customer_id", flat=True)[:limit]
    return {found.customer_id for found in marks} | set(waiting)


def _look(state: EntitlementState, right: Right, used: PeriodUsage) -> Iterator[Announcement]:
    """Whatever is new of one customer's entitlements, which is noted as told."""
    known = entitlements.names_of(right)
    present = {
        name: rules.said(entitlements.answer(right, name, used))
        for name in dict.fromkeys([*known, *state.told])
    }
    new = [
        {"feature": name, **said}
        for name, said in present.items()
        if _compared(said) != state.told.get(name)
    ]
    state.told = {name: _compared(present[name]) for name in known}
    state.check_at = _next_look(right)
    if new:
        yield Announcement(
            "entitlement.changed",
            right.customer_id,
            "customer",
            str(right.customer_id),
            {"entitlements": new},
            right.present,
        )


def _look_at_meters(
    state: EntitlementState, right: Right, meters: Sequence[_Meter]
) -> Iterator[Announcement]:
    """The highest threshold that each meter has come to, once in its period."""
    if right.period_id != state.period_id:
        state.period_id, state.thresholds = right.period_id, {}
    for meter in meters:
        come_to = thresholds.reached(meter.used, meter.limit, settings.USAGE_THRESHOLDS)
        if come_to <= state.thresholds.get(meter.code, 0):
            continue
        state.thresholds[meter.code] = come_to
        yield Announcement(
            "usage.threshold",
            right.customer_id,
            "subscription",
            str(right.subscription_id),
            {
                "meter": meter.code,
                "threshold": come_to,
                "used": figures.plain(meter.used),
                "limit": figures.cut(meter.limit),
                "period_start": right.period_start,
                "period_end": right.standing and right.standing.period_end,
            },
            right.present,
        )


def _compared(said: Mapping[str, Any]) -> dict[str, Any]:
    """What of an answer is a change when it changes; what is used changes all the time."""
    return {name: said[name] for name in _COMPARED}


def _meters(right: Right, used: PeriodUsage) -> Iterator[_Meter]:
    """Every meter of a customer's plan that has a limit, or something free."""
    standing = right.standing
    if standing is None or right.period_id is None:
        return
    for code in standing.terms.counted:
        limit = rules.bound(standing.terms, code, standing.share)
        if limit:
            yield _Meter(right.period_id, code, limit, used.by_meter.get(code, Decimal(0)))


def _watch(period_ids: Sequence[UUID], watched: Mapping[tuple[UUID, str], Fraction | None]) -> None:
    """Let totals mark the customer when they have come to where something is worth telling.

    Where several components make up a meter, each may bring it there alone.

    :param watched: (period, meter) → how much is missing until then.
    """
    totals: dict[tuple[UUID, str], list[UsageTotal]] = {}
    for row in UsageTotal.objects.filter(period__in=period_ids).select_related("meter"):
        totals.setdefault((row.period_id, row.meter.code), []).append(row)
    for key, rows in totals.items():
        for row in rows:
            row.watch_at = _watched_at(row.quantity, watched.get(key), parts=len(rows))
    bulk.update([row for rows in totals.values() for row in rows], "watch_at")


def _watched_at(quantity: Decimal, missing: Fraction | None, *, parts: int) -> Decimal:
    if missing is None:
        return _NEVER
    return figures.stored(Fraction(quantity) + missing / parts)


def _next_look(right: Right) -> datetime | None:
    standing = right.standing
    if standing is None:
        return None
    if standing.status in RUNNING and right.period_id is None:
        return right.present + _UNTIL_RENEWED
    return rules.next_change(standing, policy=right.policy, now=right.present)
