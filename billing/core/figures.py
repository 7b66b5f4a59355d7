"""How exact figures are written where people read them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

_PLACES: Final = 2
_LONGEST: Final = 12
_STORED: Final = Decimal("1e-12")


def figure(value: Fraction | Decimal | int) -> str:
    """Write a number exactly where that is short, else cut after two decimals: `46.66…`.

    Cut and not rounded, so that what is shown is never more than what was counted.
    """
    exact = Fraction(value)
    scaled = exact * 10**_LONGEST
    if scaled.denominator == 1:
        return plain(Decimal(scaled.numerator).scaleb(-_LONGEST))
    cut = abs(exact.numerator) * 10**_PLACES // exact.denominator
    sign = "-" if exact < 0 else ""
    return f"{sign}{Decimal(cut).scaleb(-_PLACES):f}…"


def stored(value: Fraction) -> Decimal:
    """An exact quantity as it is stored and answered: to 12 decimals."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_STORED)


def cut(value: Fraction) -> str:
    """To 12 decimals, without trailing zeros: never more than there is."""
    scaled = value.numerator * 10**_LONGEST // value.denominator
    return plain(Decimal(scaled).scaleb(-_LONGEST))


def plain(value: Decimal) -> str:
    """A decimal without exponent and without trailing zeros: `1.80` is `1.8`, `1E+2` is `100`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate(value: Decimal, exponent: int) -> str:
    """A unit price with at least the currency's decimals: `1.8` in USD is `1.80`."""
    text = plain(value)
    decimals = len(text.partition(".")[2])
    return f"{Decimal(text):.{max(decimals, exponent)}f}"
