"""Writes down the turns that subscriptions take: periods, lines, invoices, coupons, in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from billing.core import tab as tabs
from billing.core.agreement import Agreement, Stay
from billing.core.errors import InvalidError
from billing.core.invoicing import Bill
from billing.core.lifecycle import SubscriptionStatus
from billing.core.tab import Tab
from billing.core.turns import Turn
from billing.models import BillingPeriod, Redemption, Subscription, bulk
from billing.models.subscription import PeriodKind
from billing.queries.agreements import Standing
from billing.services import credit, drafting, invoices, payments, usage
from billing.services.drafting import Draft

_PERIOD: Final = (
    "ends_at",
    "share_used",
    "share_whole",
    "share_unit",
    "counts_until",
    "charged_until",
    "recurring_minor",
    "advance_gross_minor",
    "advance_net_minor",
    "advance_used",
    "closed_at",
)
_SUBSCRIPTION: Final = (
    "plan_version",
    "plan_name",
    "quantity",
    "status",
    "trial_days",
    "trial_start",
    "trial_end",
    "billing_anchor",
    "due_at",
    "cancel_at",
    "canceled_at",
    "version",
)


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn that a subscription takes, entered on its tab.

    :param earlier: the billing period of each of the turn's earlier lines.
    :param splits_at: when a scheduled change will split the period that is open afterwards.
    """

    standing: Standing
    turn: Turn
    at: datetime
    tab: Tab
    bill: Bill | None
    earlier: Sequence[UUID] = ()
    splits_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A turn on its way into the tables.

    :param current: the row of the period that was open; `opened` of the one that begins.
    """

    taken: Taken
    current: BillingPeriod | None
    opened: BillingPeriod | None

    @property
    def subscription(self) -> Subscription:
        return self.taken.standing.subscription

    @property
    def periods(self) -> list[UUID | None]:
        """The billing period of each of the turn's lines, in order."""
        turn = self.taken.turn
        current = None if self.current is None else self.current.pk
        opened = current if self.opened is None else self.opened.pk
        return [
            *self.taken.earlier,
            *([current] * len(turn.lines)),
            *([opened] * len(turn.ahead)),
        ]


def write(takings: Sequence[Taken], *, by: str, now: datetime) -> list[UUID]:
    """Store what turns bring, in a transaction of the caller's, who holds the locks.

    The subscriptions are saved too. Returns the payment attempts that wait to be collected.

    :raises InvalidError: if an invoice would ask for more than can be.
    """
    entries = [_enter(taken, now) for taken in takings]
    bulk.update([entry.current for entry in entries if entry.current], *_PERIOD)
    opened = [entry.opened for entry in entries if entry.opened]
    bulk.insert(opened)
    usage.place(opened)
    billed = [_draft(entry) for entry in entries if entry.taken.bill]
    drafting.keep(_lines_that_wait(entries), now=now)
    sheets = drafting.write(billed, by=by, now=now)
    ready = [sheet for sheet in sheets if not sheet.invoice.hold_reason]
    credit.draw_for(ready, now=now)
    owed = [(sheet.invoice, sheet.due) for sheet in ready]
    attempts = payments.open_attempts(owed, by=by, now=now)
    invoices.finalize_sheets(ready, now=now)
    _store_redemptions(entries)
    bulk.update([entry.subscription for entry in entries], *_SUBSCRIPTION)
    return [attempt.pk for attempt in attempts]


def taken(standing: Standing, turn: Turn, *, at: datetime) -> Taken:
    """Enter a turn on a subscription's tab.

    :raises InvalidError: if its invoice would ask for more than any reader of JSON holds exactly.
    """
    tab, bill = tabs.enter(standing.tab, turn, at=at)
    if bill is not None and bill.total.minor > drafting.LARGEST_MINOR:
        raise InvalidError("The total is above 2^53 minor units.", code="invalid_total")
    return Taken(standing, turn, at, tab, bill)


def _enter(taken: Taken, now: datetime) -> _Entry:
    before, after = taken.standing.tab.agreement, taken.tab.agreement
    row, stay, closed = taken.standing.period, after.stay, taken.turn.closed
    opened = None
    if row is not None and closed is not None and not _is_replaced(row, stay):
        put_stay(row, closed)
        row.closed_at = now
        opened = None if stay is None else _open(taken.standing.subscription, after, stay)
    elif row is not None and stay is not None:
        put_stay(row, stay)
        if closed is not None:  # it gives way in the instant it began, which is rare
            _put_plan(row, after)
            row.save()
            usage.recount(row)
    elif stay is not None:
        opened = _open(taken.standing.subscription, after, stay)
    current = opened or row
    if taken.splits_at is not None and current is not None and current.closed_at is None:
        current.counts_until = min(current.ends_at, taken.splits_at)
    _put_agreement(taken.standing.subscription, before, after, at=taken.at)
    return _Entry(taken, row, opened)


def _is_replaced(row: BillingPeriod, stay: Stay | None) -> bool:
    """Whether a period gives way to another in the instant it began: nothing was of it."""
    return stay is not None and stay.period.start == row.starts_at


def _open(subscription: Subscription, agreement: Agreement, stay: Stay) -> BillingPeriod:
    row = BillingPeriod(
        subscription=subscription,
        customer_id=subscription.customer_id,
        kind=PeriodKind.TRIAL if stay.is_trial else PeriodKind.REGULAR,
        starts_at=stay.period.start,
    )
    put_stay(row, stay)
    _put_plan(row, agreement)
    return row


def put_stay(row: BillingPeriod, stay: Stay) -> None:
    """What a period says of itself, for one who saves it."""
    row.ends_at = row.counts_until = stay.period.end
    row.share_used, row.share_whole = stay.share.used, stay.share.whole
    row.share_unit = stay.share.unit
    row.charged_until = stay.charged_until
    row.recurring_minor = stay.recurring.minor
    advance = stay.advance
    row.advance_gross_minor = None if advance is None else advance.gross.minor
    row.advance_net_minor = None if advance is None else advance.net.minor
    row.advance_used = None if advance is None else advance.share.used


def _put_plan(row: BillingPeriod, agreement: Agreement) -> None:
    row.plan_version_id = UUID(agreement.plan.version)
    row.meters, row.filters = list(agreement.terms.counted), agreement.terms.filters


def _put_agreement(
    subscription: Subscription, before: Agreement, after: Agreement, *, at: datetime
) -> None:
    if after.plan.version != before.plan.version:
        subscription.plan_version_id = UUID(after.plan.version)
        subscription.plan_name = after.plan.name
    subscription.quantity = after.quantity
    subscription.status = after.status
    subscription.billing_anchor = after.anchor
    subscription.trial_end = after.trial_end
    if after.status == SubscriptionStatus.CANCELED and before.status != after.status:
        subscription.canceled_at = subscription.cancel_at = at


def _draft(entry: _Entry) -> Draft:
    if entry.taken.bill is None:
        raise ValueError("There is nothing to bill.")
    return Draft(
        customer=entry.subscription.customer,
        bill=entry.taken.bill,
        subscription_id=entry.subscription.pk,
        waiting=entry.taken.standing.waiting,
        periods=entry.periods,
        issuer=entry.taken.standing.issuer,
        hold_reason=drafting.TAX_NUMBER if entry.taken.tab.taxation.must_wait else "",
    )


def _lines_that_wait(entries: Sequence[_Entry]) -> Iterator[drafting.Waiting]:
    """New lines of each turn that was not billed, and what was carried over."""
    for entry in entries:
        customer = entry.subscription.customer_id
        if entry.taken.bill is None:
            known = len(entry.taken.standing.waiting)
            for line, period in zip(entry.taken.tab.waiting[known:], entry.periods, strict=True):
                yield drafting.Waiting(customer, line, period)
        else:
            for line in entry.taken.bill.carried:
                yield drafting.Waiting(customer, line, None)


def _store_redemptions(entries: Sequence[_Entry]) -> None:
    changed: list[Redemption] = []
    for entry in entries:
        for row, value in zip(
            entry.taken.standing.redemptions, entry.taken.tab.redemptions, strict=True
        ):
            if (row.periods_left, row.covers_until) != (value.periods_left, value.covers_until):
                row.periods_left, row.covers_until = value.periods_left, value.covers_until
                changed.append(row)
    bulk.update(changed, "periods_left", "covers_until")
