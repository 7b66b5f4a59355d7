"""What was charged for → lines, and lines → what an invoice asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from billing.core import discounts, rating
from billing.core.discounts import Coupon
from billing.core.money import Money, total
from billing.core.periods import Period
from billing.core.proration import Share
from plans.terms import PlanTerms


class LineKind(StrEnum):
    """What a line is for.

    UNUSED: credit for what was paid in advance and is not used. ADJUSTMENT: usage of a period
    that was invoiced before. CARRIED: credit above what an invoice asks for, to the next one.
    """

    RECURRING = "RECURRING"
    USAGE = "USAGE"
    MINIMUM = "MINIMUM"
    ITEM = "ITEM"
    UNUSED = "UNUSED"
    ADJUSTMENT = "ADJUSTMENT"
    CARRIED = "CARRIED"


DISCOUNTABLE = frozenset({LineKind.RECURRING, LineKind.USAGE, LineKind.MINIMUM})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice before it is stored.

    :param quantity: exact; shown and stored to 12 decimals.
    :param unit_amount: a rate in major units; None where `tiers` say it.
    :param amount: before any discount; negative for a credit.
    :param explanation: how the amount came about.
    :param period: what it is for; of a charge in advance, what is still to come.
    :param component: which usage price of the plan, by its name.
    :param plan: the id of the plan it is for, which a coupon may ask for.
    :param discount_minor: what coupons take off; not negative, and never above the amount. None
        while that is not reckoned.
    :param discount_rate: the part that coupons over a percentage take off, 0 to 1: what is
        adjusted later is discounted by it.
    """

    kind: LineKind
    description: str
    quantity: Fraction
    unit_amount: Decimal | None
    amount: Money
    explanation: str
    period: Period | None = None
    meter: str = ""
    component: str = ""
    share: Share | None = None
    tiers: tuple[rating.TierShare, ...] = ()
    plan: str = ""
    discount_minor: int | None = None
    discount_rate: Decimal = Decimal(0)

    @property
    def discount(self) -> Money:
        """What coupons take off."""
        return Money(self.discount_minor or 0, self.amount.currency)

    @property
    def net(self) -> Money:
        """What the line adds to the total."""
        return self.amount - self.discount


@dataclass(frozen=True, slots=True)
class Bill:
    """What an invoice asks for, never less than nothing.

    :param carried: credit that is left over, as a line that waits for the next invoice.
    """

    lines: tuple[Line, ...]
    total: Money
    carried: Line | None = None

    @property
    def subtotal(self) -> Money:
        """The lines before discounts."""
        return total((line.amount for line in self.lines), self.total.currency)

    @property
    def discount(self) -> Money:
        """What coupons take off."""
        return total((line.discount for line in self.lines), self.total.currency)

    @property
    def period(self) -> Period | None:
        """From the first to the last instant that a line is for."""
        periods = [line.period for line in self.lines if line.period is not None]
        if not periods:
            return None
        return Period(min(p.start for p in periods), max(p.end for p in periods))


def bill(
    lines: Sequence[Line], *, currency: str, coupons: Sequence[Coupon] = (), part: Fraction
) -> Bill:
    """Take discounts off, add up, and carry over what is more credit than charge.

    :param coupons: in the order they are applied.
    :param part: how much of a whole period's amount a coupon over an amount takes off.
    """
    billed = discounted(lines, coupons=coupons, part=part)
    due = total((line.net for line in billed), currency)
    if due.minor >= 0:
        return Bill(tuple(billed), due)
    carried = _carried(due)
    brought = replace(carried, amount=-due, unit_amount=-due.major)
    return Bill((*billed, brought), Money.zero(currency), carried)


def discounted(lines: Sequence[Line], *, coupons: Sequence[Coupon], part: Fraction) -> list[Line]:
    """Lines with what coupons take off them; those that know it already are left alone."""
    if not coupons:
        return [
            line if line.discount_minor is not None else replace(line, discount_minor=0)
            for line in lines
        ]
    open_to = [
        line.plan if line.kind in DISCOUNTABLE and line.discount_minor is None else None
        for line in lines
    ]
    taken = discounts.spread(
        [line.amount for line in lines], plans=open_to, coupons=coupons, part=part
    )
    return [
        line
        if line.discount_minor is not None
        else replace(line, discount_minor=off.minor, discount_rate=discounts.rate(coupons, plan))
        for line, off, plan in zip(lines, taken, open_to, strict=True)
    ]


def recurring_line(
    plan_name: str,
    terms: PlanTerms,
    *,
    quantity: int,
    period: Period,
    share: Share,
) -> Line:
    """The recurring charge of a period."""
    rated = rating.recurring(terms, quantity=quantity, share=share)
    return _line(LineKind.RECURRING, plan_name, rated, period=period, share=share)


def usage_lines(
    plan_name: str,
    terms: PlanTerms,
    *,
    totals: Mapping[str, Decimal],
    meter_names: Mapping[str, str],
    period: Period,
    share: Share,
) -> list[Line]:
    """A line for each usage price.

    :param totals: component → what it counted; one that is missing counted nothing.
    :param meter_names: meter code → what people call it.
    """
    lines = []
    for priced in terms.usage:
        used = totals.get(priced.component, Decimal(0))
        rated = rating.usage(priced.price, used=used, share=share, currency=terms.currency)
        name = meter_names.get(priced.meter, priced.meter) + priced.component[len(priced.meter) :]
        line = _line(LineKind.USAGE, f"{plan_name}: {name}", rated, period=period, share=share)
        lines.append(replace(line, meter=priced.meter, component=priced.component))
    return lines


def minimum_line(
    plan_name: str, terms: PlanTerms, *, charged: Money, period: Period, share: Share
) -> Line | None:
    """What is missing to the least total of a period; None where nothing is.

    :param charged: the period's other lines together, before discounts.
    """
    if terms.minimum is None:
        return None
    missing = rating.true_up(terms.minimum, charged=charged, share=share)
    if missing is None:
        return None
    return _line(LineKind.MINIMUM, f"{plan_name}: minimum", missing, period=period, share=share)


def credit_line(description: str, amount: Money, *, explanation: str, period: Period) -> Line:
    """Something given back; `amount` is what, positive."""
    return Line(
        kind=LineKind.UNUSED,
        description=description,
        quantity=Fraction(1),
        unit_amount=-amount.major,
        amount=-amount,
        explanation=explanation,
        period=period,
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


def _line(
    kind: LineKind, description: str, rated: rating.Rated, *, period: Period, share: Share
) -> Line:
    return Line(
        kind=kind,
        description=description,
        quantity=rated.quantity,
        unit_amount=rated.unit_amount,
        amount=rated.amount,
        explanation=rated.explanation,
        period=period,
        share=share,
        tiers=rated.tiers,
    )


def _carried(due: Money) -> Line:
    return Line(
        kind=LineKind.CARRIED,
        description="Credit carried over",
        quantity=Fraction(1),
        unit_amount=due.major,
        amount=due,
        explanation=f"{-due} more credit than charges",
    )
