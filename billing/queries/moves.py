"""Moving subscribers to the current version of their plan: whom it concerns, and its effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet

from billing.core import changes, schedule
from billing.core.agreement import SubscribedPlan
from billing.core.changes import Change
from billing.core.errors import FAULTS, ConflictError, words
from billing.core.forecast import Foreseen
from billing.core.money import Money, total
from billing.core.periods import Cadence
from billing.models import ScheduledChange, Subscription
from billing.queries import agreements, prospects
from billing.queries.prospects import Basis, Prospect
from plans.models import Plan, PlanVersion
from plans.terms import Alignment, ChangeCharge, ChangeTime, PlanTerms

NOT_ON_PLAN: Final = "not_on_plan"
IN_THE_PAST: Final = "in_the_past"
STALLED: Final = "billing_stalled"
UNFIT: Final = "cannot_be_moved"


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a subscription cannot be moved.

    :param due_at: when the change is due that it is about; None where it is about none.
    :param change: the scheduled change that is in the way; None where it is the move itself.
    """

    code: str
    detail: str
    due_at: datetime | None = None
    change: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A subscription that is not moved, with all that is in the way."""

    subscription: UUID
    conflicts: Sequence[Objection]


@dataclass(frozen=True, slots=True)
class Difference:
    """What the next invoices ask for as things stand, and what they would."""

    now: Money
    then: Money


@dataclass(slots=True)
class Effect:
    """What moving some subscriptions would mean.

    :param movable: how many would be moved.
    :param sums: by currency; those that would be refused are in none.
    """

    movable: int = 0
    sums: dict[str, Difference] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        """Count a subscription in that would be moved."""
        self.movable += 1
        currency = difference.now.currency
        zero = Money.zero(currency)
        sums = self.sums.get(currency, Difference(zero, zero))
        self.sums[currency] = Difference(sums.now + difference.now, sums.then + difference.then)


@dataclass(frozen=True, slots=True)
class _Supposed:
    """The move as it is supposed for everybody."""

    to: SubscribedPlan
    when: ChangeTime | datetime
    charge: ChangeCharge | None


def target(plan: Plan) -> PlanVersion:
    """The version that subscribers are moved to, with its plan at hand."""
    if plan.current is None:
        raise ValueError("The plan has no version yet.")
    plan.current.plan = plan
    return plan.current


def movable(
    version: PlanVersion, subscriptions: Sequence[UUID] | None = None
) -> QuerySet[Subscription, Subscription]:
    """Live subscriptions on an older version that nothing scheduled leads to this one.

    :param subscriptions: those to look at; None for all.
    """
    leading = ScheduledChange.objects.pending().filter(
        subscription=OuterRef("pk"), plan_version=version
    )
    rows = _on_plan(version).exclude(plan_version=version).exclude(Exists(leading))
    return rows if subscriptions is None else rows.filter(pk__in=subscriptions)


def strangers(version: PlanVersion, subscriptions: Sequence[UUID] | None) -> list[Refusal]:
    """A refusal of each that was named and is no live subscription of the plan."""
    named = set(subscriptions or ())
    found = set(_on_plan(version).filter(pk__in=named).values_list("pk", flat=True))
    objection = Objection(NOT_ON_PLAN, "It is no live subscription of the plan.")
    return [Refusal(pk, [objection]) for pk in sorted(named - found)]


def effect(
    plan: Plan,
    *,
    subscriptions: Sequence[UUID] | None = None,
    when: ChangeTime | datetime,
    charge: ChangeCharge | None = None,
    now: datetime,
) -> Effect:
    """What moving them to the current version would mean, reckoned on values.

    Compared are the invoices for the time after the move, up to the next one that would come
    without it; where usage is priced, up to the one that bills the first of it. Usage is supposed
    to go on as in the last closed period.

    :param subscriptions: those to move; None for all.
    """
    version = target(plan)
    supposed = _Supposed(agreements.plan_of(version), when, charge)
    found = Effect(refused=strangers(version, subscriptions))
    for chunk in prospects.chunks(movable(version, subscriptions)):
        for row, prospect in prospects.of(chunk, basis=Basis.LAST, now=now):
            outcome = _outcome(row, prospect, supposed, now)
            if isinstance(outcome, Difference):
                found.add(outcome)
            else:
                found.refused.append(Refusal(row.pk, outcome))
    return found


def _outcome(
    row: Subscription, prospect: Prospect | str, supposed: _Supposed, now: datetime
) -> Difference | list[Objection]:
    """What the move makes of one, or what is in its way."""
    present = row.customer.lives_at(now)
    if isinstance(supposed.when, datetime) and supposed.when < present:
        return [Objection(IN_THE_PAST, "The time lies in the past.")]
    if row.stalled_reason:
        return [Objection(STALLED, f"Billing stands still: {row.stalled_reason}")]
    if isinstance(prospect, str):
        return [Objection(UNFIT, prospect)]
    try:
        change = _change(prospect, supposed)
        return _conflicts(prospect, change) or _difference(prospect, change)
    except ConflictError as error:
        return [Objection(error.code, error.detail)]
    except FAULTS as error:
        return [Objection(UNFIT, words(error))]


def _change(prospect: Prospect, supposed: _Supposed) -> Change:
    """The move of one, when it is due."""
    present = prospect.present
    change = Change(at=present, plan=supposed.to, charge=supposed.charge)
    agreement = schedule.roll(prospect.standing.agreement, present)
    return changes.timed(agreement, change, when=supposed.when, now=present)


def _conflicts(prospect: Prospect, change: Change) -> list[Objection]:
    """Every contradiction that it would bring to the timeline."""
    standing = prospect.standing
    pending = standing.changes
    row_of = {id(value): row.pk for value, row in zip(pending, standing.pending, strict=True)}
    known = schedule.conflicts(standing.agreement, pending)
    return [
        Objection(found.code, found.detail, found.change.at, row_of.get(id(found.change)))
        for found in schedule.conflicts(standing.agreement, [*pending, change], known=known)
    ]


def _difference(prospect: Prospect, change: Change) -> Difference:
    """What is asked for the time after the move, without it and with it."""
    agreement = prospect.standing.agreement
    both = (agreement.terms, agreement.terms if change.plan is None else change.plan.terms)
    until = max(_in_two_intervals(terms, change.at, agreement.zone) for terms in both)
    # What is used is billed when its period is over: one more invoice, at most, to see it.
    is_late = any(terms.usage or terms.minimum is not None for terms in both)
    as_it_stands: list[Foreseen] = []
    for found in _covering(change.at, prospect.bills(until)):
        as_it_stands.append(found)
        if not is_late or found.at > change.at:
            break
    horizon = as_it_stands[-1].at if as_it_stands else until
    currency = agreement.terms.currency
    would_be = _covering(change.at, prospect.bills(horizon, change))
    return Difference(
        now=total((found.bill.total for found in as_it_stands), currency),
        then=total((found.bill.total for found in would_be), currency),
    )


def _covering(at: datetime, bills: Iterator[Foreseen]) -> Iterator[Foreseen]:
    """Those that ask for any time after an instant; what is only for before it stays as it is."""
    for found in bills:
        period = found.bill.period
        if period is not None and period.end > at:
            yield found


def _in_two_intervals(terms: PlanTerms, at: datetime, zone: ZoneInfo) -> datetime:
    whole = Cadence(at, terms.interval, terms.interval_count, Alignment.ANNIVERSARY, zone)
    return whole.boundary(2)


def _on_plan(version: PlanVersion) -> QuerySet[Subscription, Subscription]:
    return Subscription.objects.live().filter(plan_version__plan=version.plan_id)
