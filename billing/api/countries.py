"""ISO 3166 alpha-2: which codes are countries'."""

from __future__ import annotations

from functools import cache

from babel import Locale
from rest_framework import serializers

# CLDR has these beside the countries: unions, pseudo-locales, “unknown”.
_NO_COUNTRIES = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
)


@cache
def codes() -> frozenset[str]:
    """Every country's code."""
    territories = map(str, Locale("en").territories)
    return frozenset(code for code in territories if len(code) == 2) - _NO_COUNTRIES


def country(code: str) -> None:
    """A serializer's validator.

    :raises ValidationError: with code `unknown_country`.
    """
    if code not in codes():
        raise serializers.ValidationError("An ISO 3166 alpha-2 code, like “GB”.", "unknown_country")
