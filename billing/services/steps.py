"""Moves subscriptions one step, many in a few statements: what the billing run and a change do.

A step is a beginning, the end of a trial or a period, a change, or two of them in one instant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from billing.core import changes, lifecycle, turns
from billing.core.agreement import Agreement
from billing.core.changes import Act, Change
from billing.core.charging import Counted
from billing.core.lifecycle import SubscriptionStatus
from billing.core.turns import Turn
from billing.models import ScheduledChange, Subscription, bulk
from billing.models.schedule import ChangeStatus
from billing.queries import catalogue
from billing.queries.agreements import Standing
from billing.services import facts, journal, late_usage, leftovers, metering, usage, writing

# How long after the end usage may still be reported; a last invoice bills it then.
LAST_LOOK: Final = metering.OLDEST
Blaming = Callable[[Subscription], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Step:
    """What a subscription does at an instant.

    :param change: the change that is due; it was found to be possible.
    :param trial_until: when the trial ends that begins now.
    :param begins_at: when billing begins, where a trial is over or something was waited for.
    """

    standing: Standing
    at: datetime
    change: ScheduledChange | None = None
    trial_until: datetime | None = None
    begins_at: datetime | None = None

    @property
    def agreement(self) -> Agreement:
        """The subscription before it."""
        return self.standing.agreement

    @property
    def value(self) -> Change | None:
        """The change as a value."""
        return None if self.change is None else self.standing.change(self.change)

    @property
    def remaining(self) -> list[ScheduledChange]:
        """What is scheduled after it."""
        return [row for row in self.standing.pending if row is not self.change]

    @property
    def is_over(self) -> bool:
        """Whether the open period has come to its end."""
        stay = self.agreement.stay
        return stay is not None and stay.period.end <= self.at

    @property
    def is_last_look(self) -> bool:
        """Whether only usage is left to be billed, that was reported after the end."""
        return self.agreement.status == SubscriptionStatus.CANCELED

    @property
    def splits(self) -> bool:
        """Whether a change ends the open period before its time.

        One that began in the same instant gives way to the next instead: nothing was of it.
        """
        stay, change = self.agreement.stay, self.value
        if stay is None or change is None or self.is_over:
            return False
        after = changes.changed(self.agreement, change)
        goes_on = after.status in lifecycle.RUNNING | {SubscriptionStatus.TRIALING}
        if goes_on and stay.period.start == self.at:
            return False
        return changes.splits(self.agreement, after, change)


def take(
    steps: Sequence[Step],
    *,
    by: str,
    now: datetime,
    blaming: Blaming = lambda _: nullcontext(),
) -> list[UUID]:
    """Take the steps, in a transaction of the caller's, who holds the locks on the subscriptions.

    Returns the payment attempts that wait to be collected.

    :param blaming: put around what depends on one subscription alone.
    :raises ConflictError: if a change cannot be.
    """
    closing = [step for step in steps if step.is_over or step.splits]
    counted = _close(closing)
    late = late_usage.lines(
        [step.standing.subscription for step in steps if step.is_over or step.is_last_look]
    )
    takings = []
    for step in steps:
        subscription = step.standing.subscription
        with blaming(subscription):
            turn = _turn(step, counted.get(subscription.pk, Counted()))
            earlier = late.get(subscription.pk, [])
            turn = replace(
                turn,
                earlier=tuple(line for line, _ in earlier),
                is_billed=turn.is_billed or (step.is_last_look and bool(earlier)),
            )
            taken = replace(
                writing.taken(step.standing, turn, at=step.at),
                earlier=[period for _, period in earlier],
                splits_at=splits_at(step.remaining),
            )
        _schedule_next(step, turn.agreement)
        takings.append(taken)
    attempts = writing.write(takings, by=by, now=now)
    _settle_changes(steps, by=by)
    for taken in takings:
        if taken.turn.agreement.status == SubscriptionStatus.CANCELED and taken.tab.waiting:
            leftovers.give_back(taken.standing.subscription, by=by, now=now)
    journal.post(
        *(
            fact
            for step, taken in zip(steps, takings, strict=True)
            for fact in _facts(step, taken.turn.agreement)
        )
    )
    return attempts


def splits_at(pending: Sequence[ScheduledChange]) -> datetime | None:
    """When the first of these changes ends the period it falls in."""
    splitting = [
        row.due_at for row in pending if row.plan_version_id or row.billing_anchor or row.act
    ]
    return min(splitting, default=None)


def _close(closing: Sequence[Step]) -> dict[UUID, Counted]:
    """Close what the steps end, and read what was counted: subscription → its usage."""
    periods = [step.standing.period for step in closing if step.standing.period is not None]
    for step in closing:
        if step.splits and step.standing.period is not None:
            usage.cut(step.standing.period, step.at)
    totals = usage.close(periods)
    names = catalogue.meter_names({code for period in periods for code in period.meters})
    return {period.subscription_id: Counted(totals[period.pk], names) for period in periods}


def _turn(step: Step, counted: Counted) -> Turn:
    agreement, change = step.agreement, step.value
    if step.trial_until is not None:
        return turns.start_trial(agreement, step.at, until=step.trial_until)
    if step.is_over and agreement.status == SubscriptionStatus.TRIALING:
        return turns.end_trial(agreement, step.begins_at, counted=counted, change=change)
    if step.is_over:
        return turns.renew(agreement, counted=counted, change=change)
    if change is not None:
        return turns.amend(agreement, change, counted=counted)
    return Turn(agreement) if step.begins_at is None else turns.begin(agreement, step.begins_at)


def schedule_next(
    subscription: Subscription,
    after: Agreement,
    pending: Sequence[ScheduledChange],
    *,
    may_start: bool,
) -> None:
    """Say when something happens by itself next: a start, a change, or the end of a period.

    :param may_start: whether its start is still to come, and does not wait for something else.
    """
    instants = [row.due_at for row in pending[:1]]
    starts_at = subscription.starts_at
    if after.stay is not None:
        instants.append(after.stay.period.end)
    elif may_start and after.anchor is None and starts_at is not None:
        instants.append(starts_at)
    subscription.due_at = min(instants, default=None)
    ends = [row.due_at for row in pending if row.act == Act.CANCEL]
    subscription.cancel_at = ends[0] if ends else None


def _schedule_next(step: Step, after: Agreement) -> None:
    subscription = step.standing.subscription
    if step.at != subscription.created_at:  # else it is being made
        subscription.version += 1
    if after.status == SubscriptionStatus.CANCELED:
        had_usage = not step.is_last_look and step.standing.period is not None
        subscription.due_at = step.at + LAST_LOOK if had_usage else None
        return
    if step.trial_until is not None:
        subscription.trial_start, subscription.trial_days = step.at, 0
    starts_at = subscription.starts_at or subscription.created_at
    may_start = starts_at > step.at or (starts_at == step.at and step.change is not None)
    schedule_next(subscription, after, step.remaining, may_start=may_start)


def _settle_changes(steps: Sequence[Step], *, by: str) -> None:
    rows = []
    for step in steps:
        if step.change is not None:
            step.change.status = ChangeStatus.APPLIED
            step.change.settled_at, step.change.settled_by = step.at, by
            rows.append(step.change)
    bulk.update(rows, "status", "settled_at", "settled_by")


def _facts(step: Step, after: Agreement) -> list[journal.Fact]:
    subscription = step.standing.subscription
    found = list(facts.of_turn(subscription, step.agreement, after, at=step.at))
    if step.change is not None:
        found.append(facts.changed(subscription, step.change, after, at=step.at))
    return found
