"""Tax on lines: reckoned once for each rate, and split over the lines it came from."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from billing.core.errors import InvalidError
from billing.core.money import Money, round_half_away, total

_K = TypeVar("_K", bound=Hashable)


class TaxCategory(StrEnum):
    """Why a line bears the tax it does: the codes of EN 16931 (UNCL 5305)."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    EXPORT = "G"
    OUT_OF_SCOPE = "O"


class TaxRounding(StrEnum):
    """What is rounded: the tax of a rate on the whole document, or that of each line."""

    DOCUMENT = "DOCUMENT"
    LINE = "LINE"


@dataclass(frozen=True, slots=True)
class Tax:
    """What is to be levied.

    :param percent: 0 to 100; always 0 but for STANDARD.
    :param country: whose tax it is (ISO 3166); empty where nobody's.
    :param note: the sentence that the document must bear.
    """

    category: TaxCategory
    percent: Decimal
    country: str = ""
    region: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= 100:
            raise InvalidError(f"{self.percent} % is no rate of tax.", code="invalid_tax_rate")
        if self.percent and self.category != TaxCategory.STANDARD:
            raise InvalidError(
                f"Nothing is levied in category {self.category}.", code="invalid_tax_rate"
            )


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """What a document says of one tax.

    :param base: the net amounts it is levied on.
    """

    tax: Tax
    base: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class Taxed:
    """The tax of a document.

    :param amounts: the tax of each line, in their order; never more than a minor unit away from
        what is exact, and nothing on a line of nothing.
    :param nets: what each line is without its tax.
    :param totals: one for each tax, in the order in which the lines name them.
    """

    currency: str
    amounts: tuple[Money, ...]
    nets: tuple[Money, ...]
    totals: tuple[TaxTotal, ...]

    @property
    def base(self) -> Money:
        """The document without tax."""
        return total(self.nets, self.currency)

    @property
    def amount(self) -> Money:
        """All tax."""
        return total(self.amounts, self.currency)

    @property
    def total(self) -> Money:
        """The document with tax."""
        return self.base + self.amount


def reckon(
    nets: Sequence[Money],
    taxes: Sequence[Tax],
    *,
    included: Sequence[bool],
    currency: str,
    rounding: TaxRounding,
) -> Taxed:
    """The tax on lines, whose totals are exactly the sums of their lines.

    :param nets: what each line amounts to as stated, after discounts; may be negative.
    :param taxes: what each line bears.
    :param included: whether the amount stated has the tax in it.
    """
    exact = [
        net.minor * _part(tax.percent, is_included=inside)
        for net, tax, inside in zip(nets, taxes, included, strict=True)
    ]
    minors = [round_half_away(tax) for tax in exact]
    if rounding == TaxRounding.DOCUMENT:
        for lines in _grouped(zip(taxes, included, strict=True)).values():
            for line, share in zip(lines, _apportion([exact[i] for i in lines]), strict=True):
                minors[line] = share
    amounts = [Money(minor, currency) for minor in minors]
    bases = [
        net - amount if inside else net + Money.zero(currency)  # which refuses another currency
        for net, amount, inside in zip(nets, amounts, included, strict=True)
    ]
    totals = [
        TaxTotal(
            tax,
            base=total((bases[i] for i in lines), currency),
            amount=total((amounts[i] for i in lines), currency),
        )
        for tax, lines in _grouped(taxes).items()
    ]
    return Taxed(currency, tuple(amounts), tuple(bases), tuple(totals))


def credited(net: Money, *, invoiced: TaxTotal, before: TaxTotal | None = None) -> Money:
    """The tax on a credit: what the rate makes of it, and never more than is left.

    Whatever the steps, the credit that reaches the whole base takes exactly the rest of the tax.

    :param net: what is credited now, without tax.
    :param invoiced: what the invoice says of this tax.
    :param before: what was credited of that until now.
    """
    currency = invoiced.base.currency
    base_left = invoiced.base - (before.base if before else Money.zero(currency))
    left = invoiced.amount - (before.amount if before else Money.zero(currency))
    if net == base_left:
        return left
    part = _part(invoiced.tax.percent, is_included=False)
    tax = Money(round_half_away(net.minor * part), net.currency)
    return max(tax, left) if invoiced.amount.minor < 0 else min(tax, left)


def _part(percent: Decimal, *, is_included: bool) -> Fraction:
    rate = Fraction(percent)
    return rate / (100 + rate) if is_included else rate / 100


def _grouped(keys: Iterable[_K]) -> dict[_K, list[int]]:
    """Key → where it stands; the keys in the order in which they first appear."""
    groups: dict[_K, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    return groups


def _apportion(exact: Sequence[Fraction]) -> list[int]:
    """Whole numbers beside exact ones: they sum to the rounded sum, by largest remainder.

    Each is its exact one rounded down or up, so a whole one stays as it is. Unlike
    `money.allocate` this takes charges and credits together. All signs turned give all results
    turned: the mirror of an invoice is its credit note.
    """
    whole = sum(exact, Fraction(0))
    sign = -1 if (whole or next(filter(None, exact), 0)) < 0 else 1
    turned = [sign * value for value in exact]
    parts = [math.floor(value) for value in turned]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - turned[i], i))
    for index in by_remainder[: round_half_away(sign * whole) - sum(parts)]:
        parts[index] += 1
    return [sign * part for part in parts]
