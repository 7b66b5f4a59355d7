"""Changes that are still to come: the timeline they make, and where they contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from billing.core import turns
from billing.core.agreement import Agreement
from billing.core.changes import Change
from billing.core.charging import Counted
from billing.core.errors import ConflictError
from billing.core.lifecycle import SubscriptionStatus

_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a change cannot be: a stable code and a sentence."""

    change: Change
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Step:
    """A change on the timeline and the agreement after it; as before it, where it conflicts."""

    change: Change
    after: Agreement
    conflict: Conflict | None = None


def timeline(agreement: Agreement, pending: Sequence[Change]) -> list[Step]:
    """Pending changes in order, each with what the subscription is after it.

    What conflicts is told and left out, and the rest goes on without it.
    """
    steps: list[Step] = []
    state = agreement
    taken: datetime | None = None
    for change in sorted(pending, key=lambda change: change.at):
        rolled = roll(state, change.at)
        try:
            state = _after(rolled, change, taken=taken)
        except ConflictError as error:
            steps.append(Step(change, rolled, Conflict(change, error.code, error.detail)))
        else:
            steps.append(Step(change, state))
            taken = change.at
    return steps


def conflicts(
    agreement: Agreement, pending: Sequence[Change], *, known: Sequence[Conflict] = ()
) -> list[Conflict]:
    """What contradicts on the timeline, in order.

    :param known: what did so before one more change was asked for: that is not its fault.
    """
    old = {id(conflict.change) for conflict in known}
    found = (step.conflict for step in timeline(agreement, pending))
    return [one for one in found if one is not None and id(one.change) not in old]


def roll(agreement: Agreement, at: datetime) -> Agreement:
    """The agreement in the period that holds an instant, or ends with it, as far as is known.

    A trial is taken to be followed by billing.
    """
    stay = agreement.stay
    if stay is None or at <= stay.period.end:
        return agreement
    if stay.is_trial:
        ended = replace(agreement, status=SubscriptionStatus.INCOMPLETE, stay=None)
        return roll(turns.begin(ended, stay.period.end).agreement, at)
    before = turns.renew(agreement, counted=Counted()).agreement
    if before.stay is None or at <= before.stay.period.end:
        return before
    whole = before.cadence.nominal(at - _JUST_BEFORE)
    share = replace(before.stay.share, used=before.stay.share.whole)
    settled = whole.end if before.terms.is_in_advance else whole.start
    return replace(
        before, stay=replace(before.stay, period=whole, share=share, charged_until=settled)
    )


def _after(agreement: Agreement, change: Change, *, taken: datetime | None) -> Agreement:
    """The agreement after a change, by the turn that it will take then."""
    if change.at == taken:
        raise ConflictError("Another change is due then.", code="same_instant")
    stay = agreement.stay
    ends_here = stay is not None and stay.period.end == change.at
    is_over = agreement.status == SubscriptionStatus.CANCELED
    if change.is_at_period_end and not (ends_here or is_over):
        raise ConflictError(
            "No period ends then, as the subscription is by that time.", code="not_a_period_end"
        )
    if not ends_here or stay is None:
        return turns.amend(agreement, change, counted=Counted()).agreement
    if stay.is_trial:
        return turns.end_trial(
            agreement, stay.period.end, counted=Counted(), change=change
        ).agreement
    return turns.renew(agreement, counted=Counted(), change=change).agreement
