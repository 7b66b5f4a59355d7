"""Usage that came late or was corrected: what a period would have cost, less what it did."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from billing.core import charging
from billing.core.agreement import Agreement, Stay
from billing.core.charging import Counted
from billing.core.figures import figure
from billing.core.invoicing import Line, LineKind
from billing.core.money import Money, round_minor


def adjustments(
    agreement: Agreement,
    closed: Stay,
    *,
    billed: Counted,
    now: Counted,
    rate: Decimal,
) -> list[Line]:
    """A dated line for each component whose price has moved, and for the minimum.

    Both totals are rated whole, so that late usage which crosses a tier costs exactly what it
    would have, and discounted as the period was.

    :param agreement: on the plan of that period.
    :param rate: the part, 0 to 1, that coupons over a percentage took off the period's usage. One
        over an amount is used up.
    """
    before = {line.component: line for line in charging.used_lines(agreement, closed, billed)}
    after = {line.component: line for line in charging.used_lines(agreement, closed, now)}
    lines = []
    for component in after | before:
        line = after.get(component) or before[component]
        zero = Money.zero(line.amount.currency)
        old = before[component].amount if component in before else zero
        new = after[component].amount if component in after else zero
        if new == old:
            continue
        words = f"{new.major:f} − {old.major:f} charged before = {new - old}"
        if line.kind == LineKind.USAGE:
            used = [figure(counted.totals.get(component, Decimal(0))) for counted in (now, billed)]
            words = f"{used[0]} used instead of {used[1]}: {words}"
        lines.append(
            replace(
                line,
                kind=LineKind.ADJUSTMENT,
                description=f"{line.description}, adjusted",
                quantity=Fraction(1),
                unit_amount=(new - old).major,
                amount=new - old,
                explanation=words,
                tiers=(),
                discount_minor=_part(new - old, rate).minor,
                discount_rate=rate,
            )
        )
    return lines


def _part(amount: Money, rate: Decimal) -> Money:
    return round_minor(Fraction(amount.major) * Fraction(rate), amount.currency)
