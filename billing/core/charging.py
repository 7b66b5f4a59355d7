"""The recurring charge of one period: settled up to an instant, credited, charged anew, closed.

Every function takes an agreement in a period and gives it back with the lines that came of it.
What is settled is settled once: `charged_until` only moves back with a credit, which uses up the
charge in advance that it gives back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from billing.core import invoicing, proration, rating
from billing.core.agreement import Advance, Agreement, Stay
from billing.core.invoicing import Line
from billing.core.money import Money
from billing.core.periods import Cadence, Period, Span
from billing.core.proration import WHOLE, Share
from plans.terms import ChangeCharge, TrialUsage

Charged = tuple[Agreement, tuple[Line, ...]]
UNPRORATED: Final = frozenset({ChangeCharge.FULL, ChangeCharge.NONE})


@dataclass(frozen=True, slots=True)
class Counted:
    """What was used in the period that ends.

    :param totals: component → what it counted; one that is missing counted nothing.
    :param names: meter code → what people call it.
    """

    totals: Mapping[str, Decimal] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def open_period(agreement: Agreement, period: Period, share: Share) -> Charged:
    """Open a period; billed in advance, its recurring charge is due now."""
    zero = Money.zero(agreement.terms.currency)
    opened = replace(agreement, stay=Stay(period, share, period.start, zero))
    if not agreement.terms.is_in_advance:
        return opened, ()
    return charge_ahead(opened, period, share)


def open_settled(agreement: Agreement, period: Period, share: Share) -> Agreement:
    """Open a period whose recurring charge is settled, or that has none."""
    zero = Money.zero(agreement.terms.currency)
    return replace(agreement, stay=Stay(period, share, period.end, zero))


def open_trial(agreement: Agreement, period: Period) -> Agreement:
    """Open a trial. Where its usage is charged, its allowances are those of so many days."""
    terms = agreement.terms
    share = WHOLE
    if terms.trial_usage == TrialUsage.COUNTED:
        cadence = Cadence.of(terms, anchor=period.start, zone=agreement.zone)
        span = Span(period, cadence.nominal(period.start), is_short=True)
        share = agreement.ruler.share_of(span)
    opened = open_settled(agreement, period, share)
    return replace(opened, stay=replace(opened.open_stay, is_trial=True))


def charge_ahead(agreement: Agreement, period: Period, share: Share) -> Charged:
    """Charge the rest of a period in advance."""
    stay = agreement.open_stay
    line = _recurring(agreement, period, share)
    after = replace(
        stay,
        charged_until=period.end,
        recurring=stay.recurring + line.amount,
        advance=Advance(line.amount, line.amount, share),
    )
    return replace(agreement, stay=after), (line,) if share.used else ()


def charge_added(before: Agreement, after: Agreement, period: Period) -> Charged:
    """Charge in full what more of a quantity costs; less of it costs and credits nothing.

    What was given up in the same period without a credit is not charged again.
    """
    paid = after.open_stay.advance
    old = rating.recurring(before.terms, quantity=before.quantity, share=WHOLE).amount
    old = max(old, paid.gross) if paid else old
    line = _recurring(after, period, WHOLE)
    more = line.amount - old
    if more.minor <= 0:
        return after, ()
    words = f"{line.explanation}; {old.major:f} of it charged before: {more}"
    stay = after.open_stay
    advance = stay.advance
    if advance is not None:
        advance = replace(advance, gross=advance.gross + more, net=advance.net + more)
    charged = replace(stay, recurring=stay.recurring + more, advance=advance)
    added = replace(line, amount=more, unit_amount=None, explanation=words, tiers=())
    return replace(after, stay=charged), (added,)


def settle(agreement: Agreement, at: datetime, charge: ChangeCharge) -> Charged:
    """Settle the recurring charge up to an instant: charge what was used, credit what was not.

    Where nothing is prorated, the whole period is charged and nothing credited.
    """
    stay = agreement.open_stay
    end = stay.period.end
    until = end if charge in UNPRORATED else at
    if stay.advance is not None and until < end:
        return _credit(agreement, at)
    if stay.charged_until >= until:
        return agreement, ()
    left = rest(agreement, stay.charged_until)
    used = replace(left, used=left.used - rest(agreement, until).used)
    if not used.used:
        return replace(agreement, stay=replace(stay, charged_until=until)), ()
    line = _recurring(agreement, Period(stay.charged_until, until), used)
    settled = replace(stay, charged_until=until, recurring=stay.recurring + line.amount)
    if until > at:  # some of it is charged ahead of time
        settled = replace(settled, advance=Advance(line.amount, line.amount, used))
    return replace(agreement, stay=settled), (line,)


def close(
    agreement: Agreement, at: datetime, *, charge: ChangeCharge, counted: Counted
) -> tuple[Stay, tuple[Line, ...]]:
    """End a period at an instant: the recurring charge, what was used, and the minimum."""
    settled, recurring = settle(agreement, at, charge)
    stay = settled.open_stay
    share = stay.share
    if at < stay.period.end and charge != ChangeCharge.FULL:
        share = replace(share, used=share.used - rest(agreement, at).used)
    closed = replace(stay, period=Period(stay.period.start, at), share=share)
    ahead = ahead_of(settled, at)
    if ahead is not None and charge == ChangeCharge.NONE:
        closed = replace(closed, recurring=closed.recurring - ahead.gross)
    is_free = stay.is_trial and agreement.terms.trial_usage == TrialUsage.FREE
    if is_free or at <= stay.period.start:
        return closed, recurring
    return closed, (*recurring, *used_lines(agreement, closed, counted))


def used_lines(agreement: Agreement, closed: Stay, counted: Counted) -> list[Line]:
    """What was used in a period that is over, and what is missing to its minimum."""
    name, terms = agreement.plan.name, agreement.terms
    lines = invoicing.usage_lines(
        name,
        terms,
        totals=counted.totals,
        meter_names=counted.names,
        period=closed.period,
        share=closed.share,
    )
    if not closed.is_trial:
        charged = sum((line.amount for line in lines), closed.recurring)
        missing = invoicing.minimum_line(
            name, terms, charged=charged, period=closed.period, share=closed.share
        )
        lines += [missing] if missing else []
    return [replace(line, plan=agreement.plan.plan) for line in lines]


def rest(agreement: Agreement, at: datetime) -> Share:
    """What is left at an instant of the open period's share of a whole interval."""
    stay = agreement.open_stay
    if at <= stay.period.start:
        return stay.share
    if at >= stay.period.end:
        return replace(stay.share, used=0)
    return agreement.ruler.rest_of(stay.share, stay.period.end, at=at)


def ahead_of(agreement: Agreement, at: datetime) -> Advance | None:
    """What of the charge in advance is for the rest of the open period; None without one.

    At the very start that is all of it, whether its first day counts or not.
    """
    stay = agreement.open_stay
    advance = stay.advance
    if advance is None:
        return None
    left = advance.share
    if at > stay.period.start:
        left = agreement.ruler.rest_of(left, stay.period.end, at=at)
    return Advance(
        gross=proration.unused(advance.gross, paid=advance.share, rest=left),
        net=proration.unused(advance.net, paid=advance.share, rest=left),
        share=left,
    )


def _credit(agreement: Agreement, at: datetime) -> Charged:
    """Give back what was paid in advance for the rest, at what was really paid."""
    stay = agreement.open_stay
    paid, back = stay.advance, ahead_of(agreement, at)
    if paid is None or back is None:
        return agreement, ()
    recurring = stay.recurring - back.gross
    left = replace(stay, advance=None, charged_until=at, recurring=recurring)
    settled = replace(agreement, stay=left)
    if not back.net:
        return settled, ()
    days = f"{back.share.used}/{paid.share.used} {back.share.unit}"
    line = invoicing.credit_line(
        f"Unused {agreement.plan.name}",
        back.net,
        explanation=f"{paid.net.major:f} paid × {days} unused = {back.net}",
        period=Period(at, stay.period.end),
        terms=agreement.terms,
    )
    return settled, (replace(line, plan=agreement.plan.plan),)


def _recurring(agreement: Agreement, period: Period, share: Share) -> Line:
    line = invoicing.recurring_line(
        agreement.plan.name,
        agreement.terms,
        quantity=agreement.quantity,
        period=period,
        share=share,
    )
    return replace(line, plan=agreement.plan.plan)
