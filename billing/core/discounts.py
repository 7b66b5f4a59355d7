"""Coupons: what they take off, in their order, spread over lines to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing.core import figures
from billing.core.money import Money, allocate, round_minor, total


@dataclass(frozen=True, slots=True)
class Coupon:
    """A discount of `percent` (100 takes everything off), or of an amount a period.

    :param plans: the ids of the plans it is restricted to; empty for all.
    """

    code: str
    percent: Decimal | None = None
    amount: Money | None = None
    plans: frozenset[str] = frozenset()

    def fits(self, plan: str | None) -> bool:
        """Whether it takes anything off a line of that plan; None is a line that nothing does."""
        return plan is not None and (not self.plans or plan in self.plans)


@dataclass(frozen=True, slots=True)
class Redemption:
    """A coupon at work on a subscription.

    :param periods_left: for how many more periods; None for ever.
    :param covers_until: the end of the period it was last applied to. What is charged within a
        covered period is discounted as well, and uses nothing up.
    """

    id: UUID
    coupon: Coupon
    periods_left: int | None
    covers_until: datetime | None = None

    def is_in_force(self, until: datetime) -> bool:
        """Whether it applies to an invoice that charges for a period until then."""
        return self.periods_left != 0 or self._covers(until)

    def applied(self, until: datetime) -> Redemption:
        """As it is after an invoice that charges for a period until then."""
        if self.periods_left == 0 or self._covers(until):
            return self
        left = None if self.periods_left is None else self.periods_left - 1
        return replace(self, periods_left=left, covers_until=until)

    def _covers(self, until: datetime) -> bool:
        return self.covers_until is not None and until <= self.covers_until


def spread(
    amounts: Sequence[Money],
    *,
    plans: Sequence[str | None],
    coupons: Sequence[Coupon],
    part: Fraction,
) -> list[Money]:
    """What coupons take off each amount.

    Each coupon sees what those before it left, is reckoned once on the sum of the lines it fits,
    and is spread over them by largest remainder.

    :param plans: the plan of each amount; None where nothing may be taken off.
    :param part: how much of a whole period's amount a coupon over an amount takes off.
    """
    left = list(amounts)
    for coupon in coupons:
        fitting = [
            index for index, plan in enumerate(plans) if coupon.fits(plan) and left[index].minor > 0
        ]
        if not fitting:
            continue
        base = total((left[index] for index in fitting), amounts[0].currency)
        off = _off(coupon, base, part)
        shares = allocate(off, [left[index].minor for index in fitting])
        for index, taken in zip(fitting, shares, strict=True):
            left[index] -= taken
    return [amount - rest for amount, rest in zip(amounts, left, strict=True)]


def rate(coupons: Sequence[Coupon], plan: str | None) -> Decimal:
    """The part, 0 to 1, that coupons over a percentage take off a line of that plan."""
    left = Fraction(1)
    for coupon in coupons:
        if coupon.percent is not None and coupon.fits(plan):
            left *= 1 - Fraction(coupon.percent) / 100
    return figures.stored(1 - left)


def _off(coupon: Coupon, base: Money, part: Fraction) -> Money:
    """Never more than there is. An amount in another currency takes nothing off."""
    if coupon.percent is not None:
        off = round_minor(Fraction(base.major) * Fraction(coupon.percent) / 100, base.currency)
    elif coupon.amount is not None and coupon.amount.currency == base.currency:
        off = round_minor(Fraction(coupon.amount.major) * part, base.currency)
    else:
        off = Money.zero(base.currency)
    return min(off, base)
