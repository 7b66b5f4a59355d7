"""ISO 3166 alpha-2: which codes are countries', and what people call them."""

from __future__ import annotations

from functools import cache
from typing import Final

from babel import Locale

# CLDR has these beside the countries: unions, pseudo-locales, “unknown”.
_NO_COUNTRIES: Final = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
)


@cache
def names() -> dict[str, str]:
    """Every country's code → its English name, in the order of the names."""
    territories = {str(code): str(name) for code, name in Locale("en").territories.items()}
    countries = {
        code: name
        for code, name in territories.items()
        if len(code) == len("GB") and code not in _NO_COUNTRIES
    }
    return dict(sorted(countries.items(), key=lambda country: country[1]))


@cache
def codes() -> frozenset[str]:
    """Every country's code."""
    return frozenset(names())
