"""A period and its totals → the lines of an invoice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from billing.core import rating
from billing.core.money import Money, total
from billing.core.periods import Period
from billing.core.proration import Share
from plans.terms import PlanTerms


class LineKind(StrEnum):
    """What a line is for."""

    RECURRING = "RECURRING"
    USAGE = "USAGE"
    MINIMUM = "MINIMUM"
    ITEM = "ITEM"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice before it is stored.

    :param quantity: exact; shown and stored to 12 decimals.
    :param unit_amount: a rate in major units; None where `tiers` say it.
    :param explanation: how the amount came about.
    """

    kind: LineKind
    description: str
    quantity: Fraction
    unit_amount: Decimal | None
    amount: Money
    explanation: str
    period: Period | None = None
    meter: str = ""
    share: Share | None = None
    tiers: tuple[rating.TierShare, ...] = ()


@dataclass(frozen=True, slots=True)
class ServicePeriod:
    """What is billed for a period: the share of the whole, and what was used in it.

    :param totals: meter code → the period's total; a missing meter counted nothing.
    :param meter_names: meter code → what people call it.
    """

    period: Period
    share: Share
    totals: Mapping[str, Decimal]
    meter_names: Mapping[str, str]


def period_lines(
    plan_name: str, terms: PlanTerms, *, quantity: int, service: ServicePeriod
) -> list[Line]:
    """The lines for one closed period: the recurring charge, one for each metered price, and
    what is missing to the minimum.
    """
    share = service.share
    base = rating.recurring(terms, quantity=quantity, share=share)
    lines = [_period_line(LineKind.RECURRING, plan_name, base, service)]
    for metered in terms.usage:
        rated = rating.usage(
            metered.price,
            used=service.totals.get(metered.meter, Decimal(0)),
            share=share,
            currency=terms.currency,
        )
        name = service.meter_names.get(metered.meter, metered.meter)
        line = _period_line(LineKind.USAGE, f"{plan_name}: {name}", rated, service)
        lines.append(replace(line, meter=metered.meter))
    if terms.minimum is not None:
        charged = total((line.amount for line in lines), terms.currency)
        missing = rating.true_up(terms.minimum, charged=charged, share=share)
        if missing is not None:
            description = f"{plan_name}: minimum"
            lines.append(_period_line(LineKind.MINIMUM, description, missing, service))
    return lines


def _period_line(
    kind: LineKind, description: str, rated: rating.Rated, service: ServicePeriod
) -> Line:
    return Line(
        kind=kind,
        description=description,
        quantity=rated.quantity,
        unit_amount=rated.unit_amount,
        amount=rated.amount,
        explanation=rated.explanation,
        period=service.period,
        share=None if service.share.is_whole else service.share,
        tiers=rated.tiers,
    )


def item_line(description: str, *, quantity: Decimal, unit_amount: Decimal, currency: str) -> Line:
    """A line that was written by hand: quantity × unit amount, rounded once."""
    from_rate = rating.item(quantity=quantity, unit_amount=unit_amount, currency=currency)
    return Line(
        kind=LineKind.ITEM,
        description=description,
        quantity=from_rate.quantity,
        unit_amount=unit_amount,
        amount=from_rate.amount,
        explanation=from_rate.explanation,
    )
