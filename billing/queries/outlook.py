"""What will be charged next, as far as it can be known, by the arithmetic of the billing run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.core import invoicing, lifecycle, proration
from billing.core.invoicing import Line, ServicePeriod
from billing.core.lifecycle import SubscriptionStatus
from billing.core.money import Money, total
from billing.core.periods import Cadence, Period
from billing.models import BillingPeriod, Subscription


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
    open_period: BillingPeriod | None,
    totals: Mapping[str, Decimal],
    meter_names: Mapping[str, str],
    has_method: bool,
    now: datetime,
) -> Outlook | None:
    """The bill that the running period, or the first one that is still to come, will bring.

    None where nothing is foreseeable: the subscription is over, or its billing run is at work.

    :param totals: meter code → what it counted in the open period.
    :param meter_names: meter code → what people call it.
    """
    if subscription.status in lifecycle.RUNNING:
        if open_period is None:
            return None
        service = ServicePeriod(open_period.period, open_period.share, totals, meter_names)
        return _outlook(subscription, service)
    if subscription.status not in {SubscriptionStatus.TRIALING, SubscriptionStatus.INCOMPLETE}:
        return None
    return _first(subscription, meter_names, has_method=has_method, now=now)


def _first(
    subscription: Subscription, meter_names: Mapping[str, str], *, has_method: bool, now: datetime
) -> Outlook:
    terms = subscription.plan_terms
    begins_alone = has_method or terms.is_free
    since = subscription.trial_end or subscription.created_at
    cadence = Cadence.of(
        terms,
        anchor=since if begins_alone else max(since, now),
        zone=subscription.customer.zone,
    )
    span, share = proration.first_period(terms, cadence)
    service = ServicePeriod(span.period, share, {}, meter_names)
    return _outlook(subscription, service, needs_method=not begins_alone)


def _outlook(
    subscription: Subscription, service: ServicePeriod, *, needs_method: bool = False
) -> Outlook:
    terms = subscription.plan_terms
    lines = invoicing.period_lines(
        subscription.plan_name, terms, quantity=subscription.quantity, service=service
    )
    amount = total((line.amount for line in lines), terms.currency)
    return Outlook(service.period, lines, amount, needs_method)
