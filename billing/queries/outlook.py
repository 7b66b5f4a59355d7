"""What will be charged next, as far as it can be known, by the turns that will bring it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from billing.core import forecast, lifecycle, turns
from billing.core import tab as tabs
from billing.core.agreement import Agreement
from billing.core.charging import Counted
from billing.core.forecast import Foreseen
from billing.core.invoicing import Line
from billing.core.lifecycle import SubscriptionStatus
from billing.core.money import Money
from billing.core.periods import Period
from billing.core.tab import Tab
from billing.core.taxes import TaxTotal
from billing.queries.agreements import Standing


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next bill as it stands.

    :param at: when it is written.
    :param period: what it is for.
    :param lines: recurring charges, usage so far, and what else is on the tab.
    :param tax_totals: the taxes in the total.
    :param needs_method: whether all this holds only once a payment method is added.
    """

    at: datetime
    period: Period
    lines: Sequence[Line]
    total: Money
    needs_method: bool = False
    tax_totals: Sequence[TaxTotal] = ()


def next_bill(
    standing: Standing, *, counted: Counted, has_method: bool, now: datetime
) -> Outlook | None:
    """The next bill that the subscription will bring, with what was used until now.

    None where nothing is foreseeable: it is over or paused, or its billing run is at work.

    :param counted: what the open period has counted so far.
    """
    agreement = standing.agreement
    if agreement.status in lifecycle.RUNNING:
        stay = agreement.stay
        if stay is None or stay.period.end <= now:
            return None
        return _first_of(standing, standing.tab, counted, needs_method=False)
    if agreement.status not in {SubscriptionStatus.TRIALING, SubscriptionStatus.INCOMPLETE}:
        return None
    begins_alone = has_method or agreement.terms.is_free
    since = agreement.trial_end or standing.subscription.starts_at
    begins = since or standing.subscription.created_at
    begun = _begun(standing.tab, begins if begins_alone else max(begins, now))
    return _first_of(standing, begun, Counted({}, counted.names), needs_method=not begins_alone)


def _begun(tab: Tab, at: datetime) -> Foreseen | Tab:
    """The tab with billing begun, or the bill that this brings at once."""
    waiting = replace(tab.agreement, status=SubscriptionStatus.INCOMPLETE, stay=None)
    after, bill = tabs.enter(tab, turns.begin(waiting, at), at=at)
    return after if bill is None else Foreseen(at, bill, after)


def _first_of(
    standing: Standing, start: Foreseen | Tab, counted: Counted, *, needs_method: bool
) -> Outlook | None:
    if isinstance(start, Foreseen):
        return _outlook(start, needs_method=needs_method)
    ends = start.agreement.open_stay.period.end
    pending = tuple(change for change in standing.changes if change.at >= _since(start))
    until = max([ends, *(change.at for change in pending)])
    bills = forecast.foresee(start, until=until, usage=_once(counted), pending=pending)
    first = next(bills, None)
    return None if first is None else _outlook(first, needs_method=needs_method)


def _since(tab: Tab) -> datetime:
    return tab.agreement.open_stay.period.start


def _once(counted: Counted) -> Callable[[Agreement], Counted]:
    """What was used so far belongs to the period that is open now, and to none after it."""
    used = iter([counted])
    return lambda _agreement: next(used, Counted({}, counted.names))


def _outlook(foreseen: Foreseen, *, needs_method: bool) -> Outlook | None:
    bill = foreseen.bill
    if bill.period is None:
        return None
    return Outlook(foreseen.at, bill.period, bill.lines, bill.total, needs_method, bill.tax_totals)
