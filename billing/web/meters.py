"""What was used of what, as the billing home shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from django.utils.safestring import SafeString

from billing.core.entitlements import Entitlement
from billing.core.figures import figure, plain
from billing.core.invoicing import Line, LineKind
from billing.core.money import Money
from billing.core.wording import price_in_words
from billing.models import BillingPeriod, Subscription
from billing.models.subscription import PeriodKind
from billing.queries.overview import Overview
from billing.queries.usage import Day
from billing.templatetags.money import rate
from billing.web import chart, words
from billing.web.chart import Drawing
from billing.web.offers import counted
from plans.prices import Price, UsageModel


@dataclass(frozen=True, slots=True)
class MeterUse:
    """One meter in the current period.

    :param included: what is free of charge or the limit, and how it came about; empty without.
    :param share: how much of it is used, for the bar; None without an allowance.
    """

    code: str
    name: str
    used: Decimal
    included: str
    share: Share | None
    beyond: str
    days: Sequence[Day]
    drawing: SafeString
    is_above: bool


@dataclass(frozen=True, slots=True)
class Share:
    """The attributes of a `<meter>`."""

    value: str
    most: str


def in_use(overview: Overview) -> list[MeterUse]:
    """Every meter of the plan, in its order."""
    rights = overview.rights
    if rights.subscription is None or rights.period is None:
        return []
    return [
        _use(overview, rights.subscription, rights.period, entitlement)
        for entitlement in rights.entitlements
        if entitlement.feature in overview.days and entitlement.used is not None
    ]


def sums(overview: Overview) -> list[tuple[str, str, Money]]:
    """What the next bill is made of: a name, how the amount came about, and the amount."""
    if overview.outlook is None:
        return []
    taxes = [
        (words.tax(row.tax.percent, row.tax.country), "", row.amount)
        for row in overview.outlook.tax_totals
        if row.amount
    ]
    return [*(_sum(line, overview) for line in overview.outlook.lines), *taxes]


def _sum(line: Line, overview: Overview) -> tuple[str, str, Money]:
    if line.kind == LineKind.USAGE:
        name = counted(overview.meters.get(line.meter), line.meter)
        return f"{name}, so far", line.explanation, line.net
    if line.kind == LineKind.RECURRING:
        is_short = line.share is not None and not line.share.is_whole
        return "Base charge", line.explanation if is_short else "", line.net
    name = "Up to the minimum" if line.kind == LineKind.MINIMUM else line.description
    return name, line.explanation, line.net


def _use(
    overview: Overview, subscription: Subscription, period: BillingPeriod, entitlement: Entitlement
) -> MeterUse:
    code, used = entitlement.feature, entitlement.used or Decimal(0)
    name = counted(overview.meters.get(code), code)
    terms = subscription.plan_terms
    price = next((usage.price for usage in terms.usage if usage.meter == code), None)
    days = overview.days[code]
    zone = subscription.customer.zone
    return MeterUse(
        code=code,
        name=name,
        used=used,
        included=_included(entitlement.limit, price, period),
        share=_share(used, entitlement.limit),
        beyond=_beyond(price, period, terms.currency),
        days=days,
        drawing=chart.draw(
            Drawing(
                days=days,
                last=(period.ends_at.astimezone(zone) - timedelta(microseconds=1)).date(),
                included=entitlement.limit,
                title=f"{name} used so far, day by day. The same figures stand in the table below.",
            )
        ),
        is_above=entitlement.limit is not None and Fraction(used) > entitlement.limit,
    )


def _included(limit: Fraction | None, price: Price | None, period: BillingPeriod) -> str:
    """`253.33… included (400 × 19/30 days)`."""
    if limit is None:
        return ""
    if price is None:
        return f"{figure(limit)} at most"
    whole = f" ({figure(price.included)} × {period.share})" if not period.share.is_whole else ""
    return f"{figure(limit)} included{whole}"


def _beyond(price: Price | None, period: BillingPeriod, currency: str) -> str:
    if price is None:
        return ""
    if period.kind == PeriodKind.TRIAL:
        return "During the trial nothing is charged, however much you use."
    each = rate(price.unit_amount, currency)
    if price.included:
        return f"Each one above that costs {each}."
    if price.model == UsageModel.PER_UNIT:
        return f"Each one costs {each}."
    words = price_in_words(price, lambda value: rate(value, currency))
    return f"{words[0].upper()}{words[1:]}."


def _share(used: Decimal, limit: Fraction | None) -> Share | None:
    if not limit:
        return None
    most = Decimal(limit.numerator) / Decimal(limit.denominator)
    return Share(plain(used), f"{most:.6f}")
