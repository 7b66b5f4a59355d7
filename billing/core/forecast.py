"""What is still to come, by the turns that will bring it. Nothing here is ever stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from billing.core import changes, charging, turns
from billing.core import tab as tabs
from billing.core.agreement import Agreement
from billing.core.changes import Change
from billing.core.charging import Counted
from billing.core.errors import ConflictError
from billing.core.invoicing import Bill
from billing.core.lifecycle import SubscriptionStatus
from billing.core.periods import Period, Span, days_later
from billing.core.tab import Tab
from billing.core.turns import Turn

Usage = Callable[[Agreement], Counted]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A bill that will come, and the tab after it."""

    at: datetime
    bill: Bill
    tab: Tab


def foresee(
    tab: Tab,
    *,
    until: datetime,
    usage: Usage,
    pending: tuple[Change, ...] = (),
    has_method: bool = True,
) -> Iterator[Foreseen]:
    """Every bill up to and including an instant, in order.

    A change that will not be possible is passed over, as it will be then.

    :param usage: what is counted in an agreement's open period by the time it ends.
    :param pending: scheduled changes, in order.
    :param has_method: whether a payment method is there when a trial ends.
    """
    while True:
        stay = tab.agreement.stay
        ends = stay.period.end if stay else None
        change = pending[0] if pending else None
        due = min((at for at in (ends, change.at if change else None) if at), default=None)
        if due is None or due > until:
            return
        if change is not None and change.at == due:
            pending = pending[1:]
            change = if_possible(tab.agreement, change)
        else:
            change = None
        counted = usage(tab.agreement) if _closes(tab.agreement, change, at=due) else Counted()
        turn = take(tab.agreement, change, at=due, counted=counted, has_method=has_method)
        if change is not None and change.coupon is not None:
            tab = replace(tab, redemptions=(*tab.redemptions, change.coupon))
        tab, bill = tabs.enter(tab, turn, at=due)
        if bill is not None:
            yield Foreseen(due, bill, tab)


def supposed(tab: Tab, at: datetime, *, trial_days: int) -> tuple[Tab, list[Foreseen]]:
    """A subscription begun at an instant, with its trial, and the bill that comes of it at once."""
    turn = (
        turns.start_trial(tab.agreement, at, until=days_later(at, trial_days, tab.agreement.zone))
        if trial_days
        else turns.begin(tab.agreement, at)
    )
    after, bill = tabs.enter(tab, turn, at=at)
    return after, [] if bill is None else [Foreseen(at, bill, after)]


def running(tab: Tab, period: Period) -> Tab:
    """A subscription in the middle of a period; what was charged ahead for it is paid.

    A period that is no whole interval is the part of one that ends with it, as after a start in
    mid-interval or a moved billing day.
    """
    begun = replace(tab.agreement.step("activate"), anchor=period.start)
    if not begun.cadence.is_boundary(period.end):
        begun = replace(begun, anchor=period.end)
    whole = begun.cadence.nominal(period.start)
    share = begun.ruler.share_of(Span(period, whole, is_short=whole != period))
    opened, ahead = charging.open_period(begun, period, share)
    after, _ = tabs.enter(tab, Turn(opened, ahead=ahead, is_billed=bool(ahead)), at=period.start)
    return after


def if_possible(agreement: Agreement, change: Change) -> Change | None:
    """A change that is due; None where it cannot be, for then it will be passed over too."""
    try:
        changes.changed(agreement, change)
    except ConflictError:
        return None
    return change


def _closes(agreement: Agreement, change: Change | None, *, at: datetime) -> bool:
    """Whether a period ends there, so that what was used in it is asked for; not one of no time."""
    stay = agreement.stay
    if stay is None or at <= stay.period.start:
        return False
    if stay.period.end <= at or change is None:
        return True
    return changes.splits(agreement, changes.changed(agreement, change), change)


def take(
    agreement: Agreement,
    change: Change | None,
    *,
    at: datetime,
    counted: Counted,
    has_method: bool,
) -> Turn:
    """The turn that is due at an instant.

    :raises ConflictError: if the change cannot be.
    """
    stay = agreement.stay
    is_over = stay is not None and stay.period.end <= at
    if not is_over:
        return (
            Turn(agreement) if change is None else turns.amend(agreement, change, counted=counted)
        )
    if agreement.status == SubscriptionStatus.TRIALING:
        begins = at if has_method or agreement.terms.is_free else None
        return turns.end_trial(agreement, begins, counted=counted, change=change)
    return turns.renew(agreement, counted=counted, change=change)
