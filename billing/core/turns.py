"""The turns a subscription takes: begin, renew, change, end. Each bills every instant once.

A turn is what the billing run, a change at once, a preview and a simulation all do; they differ
in where the agreement comes from and where the lines go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from billing.core import changes, charging, lifecycle, proration
from billing.core.agreement import Agreement, Stay
from billing.core.changes import Act, Change
from billing.core.charging import Counted
from billing.core.invoicing import Line, LineKind
from billing.core.lifecycle import SubscriptionStatus
from billing.core.periods import Period, Span
from billing.core.proration import Share
from plans.terms import Alignment, ChangeCharge


@dataclass(frozen=True, slots=True)
class Turn:
    """A subscription after a turn, and what it brings: lines, not discounted yet.

    :param earlier: for usage of periods that were invoiced before.
    :param lines: for the period that was open; `ahead` for the one that begins.
    :param closed: the period that ended, as long as it was in the end.
    :param is_billed: whether an invoice is written now; else the lines wait for the next one.
    :param part: how much of a period's amount a coupon over an amount takes off the lines.
    """

    agreement: Agreement
    earlier: tuple[Line, ...] = ()
    lines: tuple[Line, ...] = ()
    ahead: tuple[Line, ...] = ()
    closed: Stay | None = None
    is_billed: bool = False
    part: Fraction = Fraction(1)

    @property
    def all_lines(self) -> tuple[Line, ...]:
        """All of them, in that order."""
        return (*self.earlier, *self.lines, *self.ahead)


def start_trial(agreement: Agreement, at: datetime, *, until: datetime) -> Turn:
    """The trial begins: a period in which nothing recurs."""
    trialing = replace(agreement, status=SubscriptionStatus.TRIALING, trial_end=until)
    return Turn(charging.open_trial(trialing, Period(at, until)))


def begin(agreement: Agreement, at: datetime) -> Turn:
    """Billing begins, and periods are counted from here.

    A coupon over an amount takes all of it off a first period, however short.
    """
    opened = _opened(replace(agreement.step("activate"), anchor=at), at)
    return replace(opened, part=Fraction(1))


def move_trial_end(agreement: Agreement, until: datetime) -> Agreement:
    """The trial ends at another instant, and its allowances are those of so many days."""
    period = Period(agreement.open_stay.period.start, until)
    return charging.open_trial(replace(agreement, trial_end=until), period)


def end_trial(
    agreement: Agreement,
    begins_at: datetime | None,
    *,
    counted: Counted,
    change: Change | None = None,
) -> Turn:
    """The trial is over: billing begins, or waits for a payment method.

    :param begins_at: the later of trial end and card set-up; None without a card.
    :raises ConflictError: if the change cannot be.
    """
    after = changes.changed(agreement, change) if change else agreement
    end = agreement.open_stay.period.end
    closed, lines = charging.close(agreement, end, charge=ChangeCharge.PRORATE, counted=counted)
    after = replace(after, stay=None)
    if after.status == SubscriptionStatus.CANCELED:
        return Turn(after, lines=lines, closed=closed, is_billed=_is_charged(lines))
    if begins_at is None:
        return Turn(after.step("wait_for_payment_method"), lines=lines, closed=closed)
    return replace(begin(after, begins_at), lines=lines, closed=closed)


def renew(agreement: Agreement, *, counted: Counted, change: Change | None = None) -> Turn:
    """A period is over, and the next begins, or whatever a change makes of that.

    :raises ConflictError: if the change cannot be.
    """
    at = agreement.open_stay.period.end
    after = changes.changed(agreement, change) if change else agreement
    closed, lines = charging.close(agreement, at, charge=ChangeCharge.PRORATE, counted=counted)
    after = replace(after, stay=None)
    if after.status not in lifecycle.RUNNING:
        return Turn(after, lines=lines, closed=closed, is_billed=True)
    after, span = _following(agreement, after, at, change)
    opened, ahead = charging.open_period(after, span.period, after.ruler.share_of(span))
    return Turn(opened, lines=lines, ahead=ahead, closed=closed, is_billed=True)


def amend(agreement: Agreement, change: Change, *, counted: Counted) -> Turn:
    """A change takes effect while a period is running, or while none is.

    :param counted: what was used up to here; of interest where the change splits the period.
    :raises ConflictError: if the change cannot be.
    """
    after = changes.changed(agreement, change)
    stay = agreement.stay
    if stay is None:
        return _resume(after, change.at) if change.act == Act.RESUME else Turn(after)
    if stay.is_trial:
        return _amend_trial(agreement, after, change, counted)
    charge = changes.charge(agreement, after, change)
    if not changes.splits(agreement, after, change):
        if after == agreement:
            return Turn(after)
        return _reprice(agreement, after, change.at, charge)
    closed, lines = charging.close(agreement, change.at, charge=charge, counted=counted)
    after = replace(after, stay=None)
    if after.status not in lifecycle.RUNNING:
        after = replace(after, settled_until=closed.charged_until)
        return Turn(after, lines=lines, closed=closed, is_billed=_is_charged(lines))
    opened = _OPENINGS[charge](agreement, after, change.at)
    turn = replace(opened, lines=lines, closed=closed)
    return replace(turn, is_billed=True) if charge == ChangeCharge.RESET else _billed_if_ahead(turn)


def paid(agreement: Agreement, billed: Sequence[Line]) -> Agreement:
    """With what was paid in advance after discounts, which later credits are reckoned on."""
    stay = agreement.stay
    if stay is None or stay.advance is None:
        return agreement
    for line in reversed(billed):
        is_ahead = line.period is not None and line.period.end == stay.period.end
        if line.kind == LineKind.RECURRING and is_ahead:
            advance = replace(stay.advance, net=stay.advance.net - line.discount)
            return replace(agreement, stay=replace(stay, advance=advance))
    return agreement


def _resume(paused: Agreement, at: datetime) -> Turn:
    """Go on in the middle of an interval; what a pause did not give back is not charged again."""
    after = replace(paused, settled_until=None)
    span, share = proration.opening(after.terms, after.cadence, at)
    if paused.settled_until is not None and span.period.end <= paused.settled_until:
        return Turn(charging.open_settled(after, span.period, share))
    return _opened(after, at)


def _opened(after: Agreement, at: datetime, *, before: Agreement | None = None) -> Turn:
    """Open the period that begins in the middle of an interval, or with it.

    :param before: whose period ended there; its plan says whose the day of the change is.
    """
    counts = None if before is None else before.terms.first_day_counts
    span, share = proration.opening(after.terms, after.cadence, at, first_day_counts=counts)
    opened, ahead = charging.open_period(after, span.period, share)
    return Turn(opened, ahead=ahead, is_billed=bool(ahead), part=share.fraction)


def _open_in_full(before: Agreement, after: Agreement, at: datetime) -> Turn:
    """The new price is due whole for what is left of the interval; a credit is a part of that."""
    counts = before.terms.first_day_counts
    span, share = proration.opening(after.terms, after.cadence, at, first_day_counts=counts)
    whole = Share(share.whole, share.whole, share.unit)
    opened, ahead = charging.open_period(after, span.period, whole)
    stay = opened.open_stay
    if stay.advance is not None:
        opened = replace(opened, stay=replace(stay, advance=replace(stay.advance, share=share)))
    return Turn(opened, ahead=ahead, is_billed=bool(ahead))


def _open_unpriced(before: Agreement, after: Agreement, at: datetime) -> Turn:
    """The new price holds from the next period; until then the old one was charged."""
    end = before.open_stay.period.end
    is_moved = after.anchor != before.anchor
    if not is_moved and not after.cadence.is_boundary(end):
        after = replace(after, anchor=end)
    settled, _ = charging.settle(before, at, ChangeCharge.NONE)
    ahead = charging.ahead_of(settled, at)
    rest = Period(at, end)
    share = charging.rest(before, at)
    recurring = ahead.gross if ahead else settled.open_stay.recurring
    if share.unit == proration.WHOLE.unit:
        share = proration.WHOLE  # nothing is prorated: allowances and minimums neither
        recurring = settled.open_stay.recurring
    elif after.ruler != before.ruler:
        nominal = after.cadence.nominal(at)
        share = after.ruler.share_of(Span(rest, nominal, is_short=True))
    opened = charging.open_settled(after, rest, share)
    carried = replace(ahead, share=share) if ahead else None
    return Turn(
        replace(opened, stay=replace(opened.open_stay, advance=carried, recurring=recurring))
    )


def _open_rest(before: Agreement, after: Agreement, at: datetime) -> Turn:
    """The rest of the interval; all of it where a whole period is changed as it begins."""
    stay = before.open_stay
    is_fresh = at == stay.period.start and stay.share.is_whole
    is_fresh = is_fresh and stay.period == before.cadence.nominal(at)
    if not (is_fresh and after.cadence.is_boundary(at)):
        return _opened(after, at, before=before)
    span = after.cadence.following(at)
    opened, ahead = charging.open_period(after, span.period, after.ruler.share_of(span))
    return Turn(opened, ahead=ahead, is_billed=bool(ahead))


_OPENINGS = {
    ChangeCharge.PRORATE: _open_rest,
    ChangeCharge.RESET: lambda before, after, at: _open_rest(before, replace(after, anchor=at), at),
    ChangeCharge.FULL: _open_in_full,
    ChangeCharge.NONE: _open_unpriced,
}


def _reprice(agreement: Agreement, after: Agreement, at: datetime, charge: ChangeCharge) -> Turn:
    """Another quantity: the recurring charge is settled up to here, and the rest priced anew."""
    settled, lines = charging.settle(agreement, at, charge)
    after = replace(after, stay=settled.stay)
    period = Period(at, agreement.open_stay.period.end)
    rest = charging.rest(agreement, at)
    # A coupon's amount is off a whole period once: what is added in full gets none of it.
    part = Fraction(0) if charge == ChangeCharge.FULL else rest.fraction
    added: tuple[Line, ...] = ()
    if charge == ChangeCharge.FULL:
        after, added = charging.charge_added(agreement, after, period)
    elif charge == ChangeCharge.PRORATE and after.terms.is_in_advance:
        after, added = charging.charge_ahead(after, period, rest)
    turn = Turn(after, lines=(*lines, *added), is_billed=bool(added), part=part)
    return _billed_if_ahead(turn)


def _amend_trial(agreement: Agreement, after: Agreement, change: Change, counted: Counted) -> Turn:
    """A change of plan closes what was counted under the old one; nothing recurs in a trial."""
    if not changes.splits(agreement, after, change):
        return Turn(after)
    closed, lines = charging.close(
        agreement, change.at, charge=ChangeCharge.PRORATE, counted=counted
    )
    if after.status != SubscriptionStatus.TRIALING:
        return Turn(
            replace(after, stay=None), lines=lines, closed=closed, is_billed=_is_charged(lines)
        )
    rest = Period(change.at, agreement.open_stay.period.end)
    return Turn(charging.open_trial(after, rest), lines=lines, closed=closed)


def _is_charged(lines: Sequence[Line]) -> bool:
    """Whether there is anything to bill but credit, which waits for the next invoice."""
    return any(line.kind != LineKind.UNUSED for line in lines)


def _billed_if_ahead(turn: Turn) -> Turn:
    """What is charged in advance is billed at once, with all that was given back for it.

    What is billed in arrears, and a credit alone, wait for the next invoice.
    """
    stay, terms = turn.agreement.stay, turn.agreement.terms
    is_ahead = terms.is_in_advance and stay is not None and stay.advance is not None
    return replace(turn, is_billed=turn.is_billed and is_ahead)


def _following(
    before: Agreement, after: Agreement, at: datetime, change: Change | None
) -> tuple[Agreement, Span]:
    """The period that follows at a boundary, and the anchor it is counted from."""
    if after.cadence == before.cadence or after.cadence.is_boundary(at):
        return after, after.cadence.following(at)
    is_moved = change is not None and change.anchor is not None
    if not is_moved and after.terms.alignment == Alignment.ANNIVERSARY:
        after = replace(after, anchor=at)
    needs_a_day = is_moved and after.ruler.needs_a_day
    return after, after.cadence.opening(at, needs_a_day=needs_a_day)
