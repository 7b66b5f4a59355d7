"""How amounts, rates and quantities are written on pages: by the active locale, exactly."""

from __future__ import annotations

import copy
import re
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import NumberPattern
from django import template
from django.utils.translation import get_language

from billing.core.figures import figure, plain
from billing.core.money import Money, exponent

register = template.Library()
_SHOWN_DECIMALS = 4
_LETTER_THEN_FIGURE = re.compile(r"(?<=[^\W\d_])(?=\d)")


@register.filter
def money(amount: Money) -> str:
    """`$1,234.50`, `¥1,235`, `KWD 1.235`: ISO 4217's decimals, whatever the locale assumes."""
    return _written(amount.major, amount.currency, exponent(amount.currency))


@register.filter
def rate(value: Decimal, currency: str) -> str:
    """A unit price with all its decimals, and at least the currency's: `$0.0025`, `$1.80`."""
    decimals = len(plain(value).partition(".")[2])
    return _written(value, currency, max(decimals, exponent(currency)))


@register.filter
def quantity(value: Decimal) -> str:
    """A count, cut where it is long: `253.33…`; the explanation beside it has the fraction."""
    text = plain(value)
    whole, _, decimals = text.partition(".")
    if len(decimals) <= _SHOWN_DECIMALS or not whole.strip("-0"):
        return text
    return f"{whole}.{decimals[:2]}…"


register.filter("figure", figure)


def _written(value: Decimal, currency: str, decimals: int) -> str:
    locale = Locale.parse(get_language() or "en", sep="-")
    pattern = _pattern(locale, decimals)
    text = pattern.apply(value, locale, currency=currency, currency_digits=False)
    return _LETTER_THEN_FIGURE.sub("\N{NO-BREAK SPACE}", text)


@cache
def _pattern(locale: Locale, decimals: int) -> NumberPattern:
    """The locale's own way with currencies, with so many decimals."""
    pattern: NumberPattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    return pattern
