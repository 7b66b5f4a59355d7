"""What will be charged next, as far as it can be known, by the arithmetic of the billing run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.core import invoicing, lifecycle, proration
from billing.core.invoicing import Line
from billing.core.lifecycle import SubscriptionStatus
from billing.core.money import Money, total
from billing.core.periods import Cadence, Period
from billing.core.proration import Share
from billing.models import BillingPeriod, Subscription
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next bill as it stands.

    :param period: what it is for; it is written when that ends.
    :param lines: base charge and usage so far.
    :param needs_method: whether all this holds only once a payment method is added.
    """

    period: Period
    lines: Sequence[Line]
    total: Money
    needs_method: bool = False


def next_bill(
    subscription: Subscription,
    *,
    customer: Customer,
    open_period: BillingPeriod | None,
    totals: Mapping[str, Decimal],
    has_method: bool,
    now: datetime,
) -> Outlook | None:
    """The bill that the running period, or the first one that is still to come, will bring.

    None where nothing is foreseeable: the subscription is over, or its billing run is at work.

    :param totals: meter code → what it counted in the open period.
    """
    if subscription.status in lifecycle.RUNNING:
        if open_period is None:
            return None
        return _outlook(subscription, open_period.period, open_period.share, totals)
    if subscription.status not in {SubscriptionStatus.TRIALING, SubscriptionStatus.INCOMPLETE}:
        return None
    return _first(subscription, customer, has_method=has_method, now=now)


def _first(
    subscription: Subscription, customer: Customer, *, has_method: bool, now: datetime
) -> Outlook:
    terms = subscription.plan_terms
    begins_alone = has_method or terms.is_free
    since = subscription.trial_end or subscription.created_at
    cadence = Cadence(
        anchor=since if begins_alone else max(since, now),
        interval=terms.interval,
        interval_count=terms.interval_count,
        alignment=terms.alignment,
        zone=customer.zone,
    )
    needs_a_day = proration.counts_days(terms.proration) and not terms.first_day_counts
    span = cadence.first(needs_a_day=needs_a_day)
    share = proration.share_of(
        span, cadence, proration=terms.proration, first_day_counts=terms.first_day_counts
    )
    return _outlook(subscription, span.period, share, {}, needs_method=not begins_alone)


def _outlook(
    subscription: Subscription,
    period: Period,
    share: Share,
    totals: Mapping[str, Decimal],
    *,
    needs_method: bool = False,
) -> Outlook:
    terms = subscription.plan_terms
    lines = invoicing.period_lines(
        subscription.plan_name,
        terms,
        quantity=subscription.quantity,
        period=period,
        share=share,
        totals=totals,
    )
    amount = total((line.amount for line in lines), terms.currency)
    return Outlook(period, lines, amount, needs_method)
