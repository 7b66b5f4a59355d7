"""Lines as EN 16931 counts: quantity × price − discount = net, exactly, and no price below 0."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.core.money import Money, round_half_away, round_minor
from billing.documents.values import DocumentLine


@dataclass(frozen=True, slots=True)
class Counted:
    """A line's arithmetic.

    :param quantity: BT-129; negative for what is given back.
    :param price: BT-146, without tax, for so many units as `per` (BT-149) says.
    :param per: None for one unit.
    :param discount: BT-136.
    """

    quantity: Decimal
    price: Decimal
    per: Decimal | None
    discount: Money


def counted(line: DocumentLine) -> Counted:
    """What makes a line's net amount.

    The unit amount is the price where quantity × unit amount is the amount. Elsewhere (tiers, a
    part of a period, tax in the price) the whole amount is the price of the whole quantity.
    """
    before = _before_discount(line)
    quantity, sign = abs(line.quantity), -1 if before.minor < 0 else 1
    discount = before - line.net
    if _is_product(line, before):
        return Counted(sign * quantity, abs(line.unit_amount or Decimal(0)), None, discount)
    if not quantity:
        return Counted(Decimal(sign), abs(before.major), None, discount)
    per = None if quantity == 1 else quantity
    return Counted(sign * quantity, abs(before.major), per, discount)


def _is_product(line: DocumentLine, before: Money) -> bool:
    if line.unit_amount is None or line.is_tax_included:
        return False
    exact = Fraction(line.quantity) * Fraction(line.unit_amount)
    return round_minor(exact, before.currency) == before


def _before_discount(line: DocumentLine) -> Money:
    """Without its tax. A price with tax in it is parted as its rate says, where that is needed."""
    if not line.is_tax_included:
        return line.amount
    if not line.discount:
        return line.net
    part = 1 + Fraction(line.tax.percent) / 100
    return Money(max(round_half_away(line.amount.minor / part), line.net.minor), line.net.currency)
