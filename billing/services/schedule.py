"""Commands that change a subscription: at once, at the period's end, or at any instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from billing.core import changes, schedule, turns
from billing.core.changes import Act
from billing.core.errors import BillingError, ConflictError, InvalidError, NotFoundError
from billing.core.lifecycle import SubscriptionStatus
from billing.core.schedule import Conflict
from billing.models import ScheduledChange, Subscription, bulk
from billing.models.schedule import ChangeStatus
from billing.models.subscription import BilledBy
from billing.queries import agreements
from billing.queries.agreements import Standing
from billing.services import coupons, facts, journal, locks, steps, subscriptions, usage, writing
from billing.services.steps import Step
from plans.models import Coupon, PlanVersion
from plans.terms import ChangeCharge, ChangeTime

ENGINE: Final = "billing run"


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall be different.

    :param when: an instant, or a time; None for what the plan says of such a change.
    """

    when: ChangeTime | datetime | None = None
    plan_version: PlanVersion | None = None
    quantity: int | None = None
    coupon: Coupon | None = None
    billing_anchor: datetime | None = None
    act: Act | None = None
    charge: ChangeCharge | None = None


class ConflictingChangesError(ConflictError):
    """A change contradicts what is scheduled, or is contradicted by it.

    :param asked: the change that was asked for, which has not been stored.
    """

    def __init__(
        self,
        conflicts: Sequence[tuple[Conflict, ScheduledChange]],
        asked: ScheduledChange | None = None,
    ) -> None:
        first, _ = conflicts[0]
        super().__init__(first.detail, code=first.code)
        self.conflicts = conflicts
        self.asked = asked


@transaction.atomic
def change(subscription_id: UUID, wish: Wish, *, by: str, now: datetime) -> ScheduledChange:
    """Change a subscription now, or put the change on its timeline.

    It is checked against everything that is scheduled, in order, as the subscription will be by
    then; nothing is stored where anything contradicts.

    :raises NotFoundError: if there is no such subscription.
    :raises ConflictingChangesError: with every contradiction.
    :raises InvalidError: if the time lies in the past, or nothing is asked for.
    """
    subscription = locks.subscription(subscription_id)
    present = subscription.customer.lives_at(now)
    if subscription.billed_by != BilledBy.ENGINE:
        raise ConflictError("It is billed elsewhere.", code="billed_elsewhere")
    _catch_up(subscription, present)
    standing = agreements.standing(subscription)
    row = _row(standing, wish, by=by, present=present)
    require_possible(standing, row)
    row.save(force_insert=True)
    if row.due_at <= present:
        _redeem(subscription, row, at=present)
        standing = replace(agreements.standing(subscription), pending=[row, *standing.pending])
        steps.take([Step(standing, present, row)], by=by, now=present)
        return row
    journal.post(facts.scheduled(subscription, row))
    _reschedule(standing, [*standing.pending, row], present=present)
    return row


@transaction.atomic
def withdraw(subscription_id: UUID, change_id: UUID, *, by: str, now: datetime) -> ScheduledChange:
    """Take a change off the timeline that is still to come, or that has failed.

    :raises NotFoundError: if the subscription has no such change.
    :raises ConflictError: if it took effect or was withdrawn.
    :raises ConflictingChangesError: if a later one cannot be without it.
    """
    subscription, row = _locked(subscription_id, change_id)
    if row.status not in {ChangeStatus.PENDING, ChangeStatus.FAILED}:
        raise ConflictError(f"The change is {row.status.lower()}.", code="forbidden_transition")
    standing = agreements.standing(subscription)
    left = [other for other in standing.pending if other.pk != row.pk]
    _require(standing, left)
    present = subscription.customer.lives_at(now)
    _settle(row, ChangeStatus.WITHDRAWN, by=by, at=present)
    journal.post(facts.withdrawn(subscription, row, at=present))
    _reschedule(standing, left, present=present)
    return row


@transaction.atomic
def retry(subscription_id: UUID, change_id: UUID, *, by: str, now: datetime) -> ScheduledChange:
    """Try a change again that could not be when it was due: it takes effect now.

    :raises NotFoundError: if the subscription has no such change.
    :raises ConflictError: if it has not failed, or still cannot be.
    """
    subscription, row = _locked(subscription_id, change_id)
    if row.status != ChangeStatus.FAILED:
        raise ConflictError(f"The change is {row.status.lower()}.", code="forbidden_transition")
    present = subscription.customer.lives_at(now)
    _catch_up(subscription, present)
    row.status, row.reason = ChangeStatus.PENDING, ""
    row.due_at, row.is_at_period_end, row.settled_at = present, False, None
    standing = agreements.standing(subscription)
    require_possible(standing, row)
    _redeem(subscription, row, at=present)
    row.save()
    standing = replace(agreements.standing(subscription), pending=[row, *standing.pending])
    steps.take([Step(standing, present, row)], by=by, now=present)
    return row


@transaction.atomic
def set_trial_end(
    subscription_id: UUID, ends_at: datetime | None, *, by: str, now: datetime
) -> Subscription:
    """End a trial early, or extend it.

    :param ends_at: None for now.
    :raises ConflictError: if there is no trial, or something scheduled contradicts.
    :raises InvalidError: if the end lies in the past.
    """
    subscription = locks.subscription(subscription_id)
    present = subscription.customer.lives_at(now)
    _catch_up(subscription, present)
    until = max(ends_at or present, subscription.trial_start or present)
    if subscription.status != SubscriptionStatus.TRIALING:
        raise ConflictError("There is no trial.", code="no_trial")
    if until < present:
        raise InvalidError("The end lies in the past.", code="in_the_past")
    standing = agreements.standing(subscription)
    if standing.period is None:
        raise ConflictError("There is no trial.", code="no_trial")
    moved = [row for row in standing.pending if row.is_at_period_end]
    for row in moved[:1]:  # what was meant for the end of the trial comes with it
        row.due_at = until
    _require(standing, standing.pending, trial_end=until)
    bulk.update(moved[:1], "due_at")
    if until < standing.period.counts_until:
        usage.cut(standing.period, until)
    counts_until = min(standing.period.counts_until, until)
    writing.put_stay(standing.period, turns.move_trial_end(standing.agreement, until).open_stay)
    standing.period.counts_until = counts_until  # what is beyond is counted by `extend`
    standing.period.save()
    subscription.trial_end = until
    subscription.version += 1
    subscription.save(update_fields=["trial_end", "version"])
    journal.post(facts.trial_moved(subscription, until, at=present, by=by))
    _reschedule(agreements.standing(subscription), standing.pending, present=present)
    return subscription


def if_possible(
    standing: Standing, row: ScheduledChange, *, at: datetime
) -> ScheduledChange | None:
    """A change that is due, or None where it cannot be: then it is kept as failed.

    In a transaction of the caller's, who holds the lock on the subscription.
    """
    try:
        changes.changed(standing.agreement, standing.change(row))
        with transaction.atomic():
            _redeem(standing.subscription, row, at=at)
    except BillingError as error:
        row.reason = error.detail[:500]
        _settle(row, ChangeStatus.FAILED, by="", at=at)
        journal.post(facts.failed(standing.subscription, row, at=at))
        return None
    return row


def require_possible(standing: Standing, row: ScheduledChange) -> None:
    """Refuse a change that contradicts the timeline, or would make it contradict itself.

    :raises ConflictingChangesError: with every contradiction.
    """
    _require(standing, [*standing.pending, row], asked=row)


def _require(
    standing: Standing,
    rows: Sequence[ScheduledChange],
    *,
    asked: ScheduledChange | None = None,
    trial_end: datetime | None = None,
) -> None:
    """Refuse what brings a contradiction that was not there; an older one is not its fault."""
    agreement = standing.agreement
    values = {row.pk: standing.change(row) for row in (*standing.pending, *rows)}
    before = [values[row.pk] for row in standing.pending]
    known = schedule.conflicts(agreement, before)
    if trial_end is not None:
        agreement = turns.move_trial_end(agreement, trial_end)
    found = schedule.conflicts(agreement, [values[row.pk] for row in rows], known=known)
    if found:
        row_of = {id(values[row.pk]): row for row in rows}
        pairs = [(conflict, row_of[id(conflict.change)]) for conflict in found]
        raise ConflictingChangesError(pairs, asked)


def due_step(standing: Standing, method_added_at: datetime | None) -> Step:
    """What is due of a subscription, and the change with it.

    A change that cannot be is kept as failed, and holds up nothing.

    :param method_added_at: when the customer's first usable payment method was set up.
    """
    subscription = standing.subscription
    at = subscription.due_at or subscription.created_at
    due = next((row for row in standing.pending if row.due_at <= at), None)
    if due is not None and if_possible(standing, due, at=at) is None:
        left = [row for row in standing.pending if row is not due]
        standing, due = replace(standing, pending=left), None
    elif due is not None and due.coupon_id is not None:
        standing = replace(agreements.standing(subscription), pending=standing.pending)
    step = Step(standing, at, due)
    if subscription.billing_anchor is None and not step.is_last_look:
        return subscriptions.waiting_step(step, method_added_at)
    return step


def _catch_up(subscription: Subscription, present: datetime) -> None:
    """Do what the billing run has not come to yet, so that the present is changed."""
    while subscription.due_at is not None and subscription.due_at <= present:
        if subscription.stalled_reason:
            raise ConflictError(
                f"Billing stands still: {subscription.stalled_reason}", code="billing_stalled"
            )
        standing = agreements.standing(subscription)
        added = subscriptions.first_method_added(subscription.customer_id)
        steps.take([due_step(standing, added)], by=ENGINE, now=present)


def _row(standing: Standing, wish: Wish, *, by: str, present: datetime) -> ScheduledChange:
    """The change as it is stored, with the instant it is due at."""
    subscription = standing.subscription
    row = ScheduledChange(
        subscription=subscription,
        due_at=present,
        plan_version=wish.plan_version,
        quantity=wish.quantity,
        coupon=wish.coupon,
        billing_anchor=wish.billing_anchor,
        act=wish.act or "",
        charge=wish.charge or "",
        created_by=by,
        created_at=present,
    )
    if isinstance(wish.when, datetime) and wish.when < present:
        raise InvalidError(
            "The time lies in the past.",
            code="in_the_past",
            errors={"when": ["Not before now."]},
        )
    asked = standing.change(row)
    timed = changes.timed(standing.agreement, asked, when=wish.when, now=present)
    row.due_at, row.is_at_period_end = timed.at, timed.is_at_period_end
    return row


def _redeem(subscription: Subscription, row: ScheduledChange, *, at: datetime) -> None:
    if row.coupon is not None:
        plan = row.plan_version or subscription.plan_version
        coupons.redeem(subscription, row.coupon.code, on=plan, by=row.created_by, now=at)


def _reschedule(
    standing: Standing, pending: Sequence[ScheduledChange], *, present: datetime
) -> None:
    """When the subscription is due, and up to where its period counts, with other changes."""
    subscription, period = standing.subscription, standing.period
    ordered = sorted(pending, key=lambda row: row.due_at)
    if subscription.status != SubscriptionStatus.CANCELED:  # that one waits for its last look
        may_start = subscription.starts_at is not None and subscription.starts_at > present
        steps.schedule_next(subscription, standing.agreement, ordered, may_start=may_start)
    subscription.version += 1
    subscription.save(update_fields=["due_at", "cancel_at", "version"])
    if period is None:
        return
    splits_at = steps.splits_at(ordered)
    until = period.ends_at if splits_at is None else min(period.ends_at, splits_at)
    if until < period.counts_until:
        usage.cut(period, until)
    elif until > period.counts_until:
        usage.extend(period, until)


def _locked(subscription_id: UUID, change_id: UUID) -> tuple[Subscription, ScheduledChange]:
    subscription = locks.subscription(subscription_id)
    rows = ScheduledChange.objects.select_related("plan_version__plan", "coupon")
    row = rows.filter(pk=change_id, subscription=subscription).first()
    if row is None:
        raise NotFoundError(f"There is no change {change_id}.", code="not_found")
    return subscription, row


def _settle(row: ScheduledChange, status: ChangeStatus, *, by: str, at: datetime) -> None:
    row.status, row.settled_by, row.settled_at = status, by, at
    row.save(update_fields=["status", "reason", "settled_by", "settled_at"])
