"""How tax is stated by EN 16931: the one place where our categories become the standard's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from billing.core.money import Money
from billing.core.taxes import TaxCategory, TaxTotal


@dataclass(frozen=True, slots=True)
class Stated:
    """A category as the standard has it.

    :param code: BT-118, BT-151: of UNCL 5305.
    :param words: for people, and BT-120 where law has no sentence of its own.
    :param has_rate: whether a percentage is stated with it, if only 0.
    :param has_reason: whether BT-120 has to say why nothing is levied.
    :param reason_code: BT-121, of the VATEX list; empty where it has none.
    """

    code: str
    words: str
    has_rate: bool = True
    has_reason: bool = False
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """BG-23: what is levied in one category at one rate, wherever that is."""

    stated: Stated
    percent: Decimal
    base: Money
    amount: Money
    reason: str


_CATEGORIES: Final[Mapping[TaxCategory, Stated]] = {
    TaxCategory.STANDARD: Stated("S", "Tax"),
    TaxCategory.ZERO: Stated("Z", "Zero-rated"),
    TaxCategory.EXEMPT: Stated("E", "Exempt from tax", has_reason=True),
    TaxCategory.REVERSE_CHARGE: Stated(
        "AE", "Reverse charge", has_reason=True, reason_code="VATEX-EU-AE"
    ),
    TaxCategory.EXPORT: Stated("G", "Export, not taxed", has_reason=True, reason_code="VATEX-EU-G"),
    TaxCategory.OUT_OF_SCOPE: Stated(
        "O", "Not subject to VAT", has_rate=False, has_reason=True, reason_code="VATEX-EU-O"
    ),
}
# What is out of scope stands alone in a document (BR-O-11 to 14); beside others it is exempt.
_BESIDE_OTHERS: Final = replace(
    _CATEGORIES[TaxCategory.OUT_OF_SCOPE], code="E", has_rate=True, reason_code=""
)


def in_words(category: TaxCategory) -> str:
    """For people."""
    return _CATEGORIES[category].words


def stated_in(categories: Iterable[TaxCategory]) -> dict[TaxCategory, Stated]:
    """Category → how a document with all of these states it."""
    found = {category: _CATEGORIES[category] for category in categories}
    if len(found) > 1 and TaxCategory.OUT_OF_SCOPE in found:
        found[TaxCategory.OUT_OF_SCOPE] = _BESIDE_OTHERS
    return found


def breakdown(taxes: Sequence[TaxTotal], stated: Mapping[TaxCategory, Stated]) -> list[Breakdown]:
    """A document's taxes, summed for each category and rate: the standard knows no places."""
    alike: dict[tuple[str, Decimal], list[TaxTotal]] = {}
    for row in taxes:
        key = (stated[row.tax.category].code, row.tax.percent)
        alike.setdefault(key, []).append(row)
    return [_summed(rows, stated[rows[0].tax.category]) for rows in alike.values()]


def _summed(rows: Sequence[TaxTotal], stated: Stated) -> Breakdown:
    base, amount = rows[0].base, rows[0].amount
    for row in rows[1:]:
        base, amount = base + row.base, amount + row.amount
    reasons = [row.tax.note or in_words(row.tax.category) for row in rows]
    reason = " ".join(dict.fromkeys(reasons)) if stated.has_reason else ""
    return Breakdown(stated, rows[0].tax.percent, base, amount, reason)
