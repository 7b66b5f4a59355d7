"""What was charged for → lines, and lines → what an invoice asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from billing.core import discounts, rating, taxes
from billing.core.discounts import Coupon
from billing.core.money import Money, total
from billing.core.periods import Period
from billing.core.proration import Share
from billing.core.tax_policies import STANDARD, UNTAXED, Taxation
from billing.core.taxes import Tax, TaxTotal
from plans.terms import PlanTerms


class LineKind(StrEnum):
    """What a line is for.

    UNUSED: credit for what was paid in advance and is not used. ADJUSTMENT: usage of a period
    that was invoiced before. CARRIED: credit above what an invoice asks for, to the next one.
    CREDIT: prepaid credit that is sold.
    """

    RECURRING = "RECURRING"
    USAGE = "USAGE"
    MINIMUM = "MINIMUM"
    ITEM = "ITEM"
    UNUSED = "UNUSED"
    ADJUSTMENT = "ADJUSTMENT"
    CARRIED = "CARRIED"
    CREDIT = "CREDIT"


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
    :param tax_class: which rate of a place it bears: `standard`, `reduced`, …
    :param is_tax_included: whether the amount has its tax in it.
    :param tax_minor: the tax on it; None while that is not reckoned, as is `tax` itself.
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
    tax_class: str = STANDARD
    is_tax_included: bool = False
    tax: Tax | None = None
    tax_minor: int | None = None

    @property
    def discount(self) -> Money:
        """What coupons take off."""
        return Money(self.discount_minor or 0, self.amount.currency)

    @property
    def stated(self) -> Money:
        """After discounts; with its tax where that is included."""
        return self.amount - self.discount

    @property
    def net(self) -> Money:
        """After discounts, without tax."""
        included = self.tax_minor or 0 if self.is_tax_included else 0
        return self.stated - Money(included, self.amount.currency)


@dataclass(frozen=True, slots=True)
class Bill:
    """What an invoice asks for, never less than nothing.

    :param tax_totals: one for each tax; their bases and amounts sum to the total.
    :param carried: credit that is left over, as lines that wait for the next invoice.
    """

    lines: tuple[Line, ...]
    currency: str
    tax_totals: tuple[TaxTotal, ...] = ()
    carried: tuple[Line, ...] = ()

    @property
    def subtotal(self) -> Money:
        """The lines before discounts, as stated."""
        return total((line.amount for line in self.lines), self.currency)

    @property
    def discount(self) -> Money:
        """What coupons take off."""
        return total((line.discount for line in self.lines), self.currency)

    @property
    def tax(self) -> Money:
        """All tax, included in the lines' amounts or not."""
        return total((row.amount for row in self.tax_totals), self.currency)

    @property
    def total(self) -> Money:
        """What is asked for, tax and all."""
        return total((line.net for line in self.lines), self.currency) + self.tax

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences that the document must bear."""
        return tuple(dict.fromkeys(row.tax.note for row in self.tax_totals if row.tax.note))

    @property
    def period(self) -> Period | None:
        """From the first to the last instant that a line is for."""
        periods = [line.period for line in self.lines if line.period is not None]
        if not periods:
            return None
        return Period(min(p.start for p in periods), max(p.end for p in periods))


def bill(
    lines: Sequence[Line],
    *,
    currency: str,
    at: datetime,
    coupons: Sequence[Coupon] = (),
    part: Fraction = Fraction(1),
    taxation: Taxation = UNTAXED,
) -> Bill:
    """Take discounts off, reckon tax, add up, and carry over what is more credit than charge.

    :param at: when it is written, by whose day the rates of tax are found.
    :param coupons: in the order they are applied.
    :param part: how much of a whole period's amount a coupon over an amount takes off.
    :raises ConflictError: if there is no rate for what is taxed.
    """
    billed = discounted(lines, coupons=coupons, part=part)
    found = taxed(billed, currency=currency, at=at, taxation=taxation)
    if found.total.minor >= 0:
        return found
    carried = _left_over(billed)
    brought = [
        replace(line, amount=-line.amount, unit_amount=-line.amount.major, discount_minor=0)
        for line in carried
    ]
    evened = taxed([*billed, *brought], currency=currency, at=at, taxation=taxation)
    return replace(evened, carried=tuple(carried))


def taxed(lines: Sequence[Line], *, currency: str, at: datetime, taxation: Taxation) -> Bill:
    """Lines whose discounts are known, with the tax of that day.

    :raises ConflictError: if there is no rate for what is taxed.
    """
    levied = [taxation.tax_of(line.tax_class, at.date()) for line in lines]
    found = taxes.reckon(
        [line.stated for line in lines],
        levied,
        included=[line.is_tax_included for line in lines],
        currency=currency,
        rounding=taxation.rounding,
    )
    return Bill(
        tuple(
            replace(line, tax=tax, tax_minor=amount.minor)
            for line, tax, amount in zip(lines, levied, found.amounts, strict=True)
        ),
        currency,
        tax_totals=found.totals,
    )


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
    line = _line(LineKind.RECURRING, plan_name, rated, period=period, share=share)
    return _under(terms, line)


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
        line = replace(line, meter=priced.meter, component=priced.component)
        lines.append(_under(terms, line))
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
    line = _line(LineKind.MINIMUM, f"{plan_name}: minimum", missing, period=period, share=share)
    return _under(terms, line)


def credit_line(
    description: str, amount: Money, *, explanation: str, period: Period, terms: PlanTerms
) -> Line:
    """Something of a plan given back; `amount` is what, positive."""
    return Line(
        kind=LineKind.UNUSED,
        tax_class=terms.tax_class,
        is_tax_included=terms.is_tax_included,
        description=description,
        quantity=Fraction(1),
        unit_amount=-amount.major,
        amount=-amount,
        explanation=explanation,
        period=period,
    )


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is sold by hand.

    :param unit_amount: a rate in major units; with its tax where `is_tax_included`.
    """

    description: str
    quantity: Decimal
    unit_amount: Decimal
    tax_class: str = STANDARD
    is_tax_included: bool = False


def item_line(item: Item, *, currency: str) -> Line:
    """A line that was written by hand: quantity × unit amount, rounded once."""
    from_rate = rating.item(quantity=item.quantity, unit_amount=item.unit_amount, currency=currency)
    return Line(
        kind=LineKind.ITEM,
        description=item.description,
        quantity=from_rate.quantity,
        unit_amount=item.unit_amount,
        amount=from_rate.amount,
        explanation=from_rate.explanation,
        tax_class=item.tax_class,
        is_tax_included=item.is_tax_included,
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


def _under(terms: PlanTerms, line: Line) -> Line:
    """A line that is taxed as a plan says."""
    if terms.tax_class == line.tax_class and terms.is_tax_included == line.is_tax_included:
        return line
    return replace(line, tax_class=terms.tax_class, is_tax_included=terms.is_tax_included)


def _left_over(lines: Sequence[Line]) -> list[Line]:
    """What is more credit than charge, of everything that is taxed alike."""
    currency = lines[0].amount.currency
    alike = dict.fromkeys((line.tax_class, line.is_tax_included) for line in lines)
    found = []
    for tax_class, is_included in alike:
        due = total(
            (
                line.stated
                for line in lines
                if (line.tax_class, line.is_tax_included) == (tax_class, is_included)
            ),
            currency,
        )
        if due.minor < 0:
            line = _carried(due)
            found.append(replace(line, tax_class=tax_class, is_tax_included=is_included))
    return found


def _carried(due: Money) -> Line:
    return Line(
        kind=LineKind.CARRIED,
        description="Credit carried over",
        quantity=Fraction(1),
        unit_amount=due.major,
        amount=due,
        explanation=f"{-due} more credit than charges",
    )
