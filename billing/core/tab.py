"""A subscription's running tab: what waits for an invoice, and the coupons at work on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from billing.core import invoicing, turns
from billing.core.agreement import Agreement
from billing.core.discounts import Redemption
from billing.core.invoicing import DISCOUNTABLE, Bill, Line
from billing.core.lifecycle import SubscriptionStatus
from billing.core.tax_policies import UNTAXED, Taxation
from billing.core.turns import Turn


@dataclass(frozen=True, slots=True)
class Tab:
    """Where a subscription stands between two invoices.

    :param waiting: lines for the next invoice, oldest first.
    :param redemptions: in the order in which they take something off.
    :param taxation: who sells to whom, which says what tax there is.
    """

    agreement: Agreement
    waiting: tuple[Line, ...] = ()
    redemptions: tuple[Redemption, ...] = ()
    taxation: Taxation = UNTAXED


def enter(tab: Tab, turn: Turn, *, at: datetime) -> tuple[Tab, Bill | None]:
    """Put what a turn brings on the tab, and bill it all if the turn says so.

    The bill's lines are those that waited, in their order, those of the turn, and, where there is
    more credit than charge, what is carried over. When the subscription is over, no charge waits
    any longer.
    """
    lines = (*tab.waiting, *turn.all_lines)
    is_over = turn.agreement.status == SubscriptionStatus.CANCELED
    is_last = is_over and any(line.amount.minor > 0 for line in lines)
    if not (turn.is_billed or is_last) or not lines:
        return replace(tab, agreement=turn.agreement, waiting=lines), None
    until = max((line.period.end for line in _open_to_discounts(lines) if line.period), default=at)
    coupons = [row.coupon for row in tab.redemptions if row.is_in_force(until)]
    bill = invoicing.bill(
        lines,
        currency=turn.agreement.terms.currency,
        at=at,
        coupons=coupons,
        part=turn.part,
        taxation=tab.taxation,
    )
    return (
        replace(
            tab,
            agreement=turns.paid(turn.agreement, bill.lines),
            waiting=bill.carried,
            redemptions=used_up(tab.redemptions, lines, until=until),
        ),
        bill,
    )


def used_up(
    redemptions: Sequence[Redemption], lines: Sequence[Line], *, until: datetime
) -> tuple[Redemption, ...]:
    """Coupons after an invoice over these lines, undiscounted as they were.

    :param until: the last instant that is charged for.
    """
    plans = {line.plan for line in _open_to_discounts(lines)}
    return tuple(
        row.applied(until) if any(map(row.coupon.fits, plans)) else row for row in redemptions
    )


def _open_to_discounts(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.kind in DISCOUNTABLE and line.discount_minor is None]
