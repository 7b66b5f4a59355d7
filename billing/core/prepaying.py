"""Usage that is paid from credit as it happens: what it costs so far, before it is invoiced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from billing.core import charging, invoicing
from billing.core.charging import Counted
from billing.core.invoicing import Line, LineKind
from billing.core.money import Money
from billing.core.tab import Tab
from plans.terms import TrialUsage


def open_lines(tab: Tab, counted: Counted) -> list[Line]:
    """The usage lines of the open period as they stand; none where usage is not prepaid.

    :param counted: what it has counted so far.
    """
    agreement = tab.agreement
    stay = agreement.stay
    if stay is None or not agreement.terms.is_prepaid:
        return []
    if stay.is_trial and agreement.terms.trial_usage == TrialUsage.FREE:
        return []
    lines = charging.used_lines(agreement, stay, counted)
    return [line for line in lines if line.kind == LineKind.USAGE]


def charges(lines: Sequence[Line], tab: Tab, *, currency: str, now: datetime) -> list[Money]:
    """What each line costs, with discounts and tax as its invoice will have them.

    A coupon over an amount is taken off usage alone here: how much of it falls on other lines,
    only the invoice knows, which settles the difference.

    :param lines: of one currency.
    """
    stay = tab.agreement.stay
    until = now if stay is None else stay.period.end
    coupons = [row.coupon for row in tab.redemptions if row.is_in_force(until)]
    discounted = invoicing.discounted(lines, coupons=coupons, part=Fraction(1))
    bill = invoicing.taxed(discounted, currency=currency, at=now, taxation=tab.taxation)
    return [gross(line) for line in bill.lines]


def gross(line: Line) -> Money:
    """A line with its tax."""
    return line.net + Money(line.tax_minor or 0, line.amount.currency)
