"""ISO 3166 alpha-2: which codes are countries', and what people call them."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global

# CLDR has these beside the countries: unions, pseudo-locales, “unknown”.
_NO_COUNTRIES: Final = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
)
# What people write, and CLDR has under another name; EL begins Greece's VAT numbers.
_ALSO: Final = {
    "EL": "GR",
    "Bosnia and Herzegovina": "BA",
    "Burma": "MM",
    "Czech Republic": "CZ",
    "Great Britain": "GB",
    "Holland": "NL",
    "Hong Kong": "HK",
    "Ivory Coast": "CI",
    "Macau": "MO",
    "Myanmar": "MM",
    "Republic of Ireland": "IE",
    "Russian Federation": "RU",
    "Turkey": "TR",
    "United States of America": "US",
}
_ARTICLE: Final = "the "


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


def code_of(text: str) -> str:
    """The code of the country that somebody wrote: `de`, `DEU` and `Germany` are all DE.

    Empty where it is no country that we know, so that nothing is decided by a guess.
    """
    return _known().get(_bare(text), "")


@cache
def _known() -> dict[str, str]:
    """What a country may be called → its code; a former country's code leads to its only heir."""
    heirs = {
        code: found[0] for code, found in get_global("territory_aliases").items() if len(found) == 1
    }
    called = [*heirs.items(), *_ALSO.items()]
    called += [(name, code) for code, name in names().items()]
    called += [(code, code) for code in codes()]
    return {_bare(name): code for name, code in called if code in codes()}


def _bare(text: str) -> str:
    """Without case, accents and the marks between words."""
    parts = unicodedata.normalize("NFKD", text.casefold().replace("&", " and ").replace(".", ""))
    letters = "".join(c if c.isalnum() else " " for c in parts if not unicodedata.combining(c))
    return " ".join(letters.split()).removeprefix(_ARTICLE)
