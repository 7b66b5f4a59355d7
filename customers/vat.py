"""Tax numbers as texts: which kinds there are, and whether one is well formed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from django.core.exceptions import ValidationError
from stdnum.au import abn
from stdnum.ch import vat as ch_vat
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError as MalformedError
from stdnum.gb import vat as gb_vat
from stdnum.in_ import gstin
from stdnum.no import mva
from stdnum.nz import ird
from stdnum.us import ein

EU_VAT: Final = "eu_vat"
_GREEK: Final = {"GR": "EL"}  # people write the country's code where the number has its own


@dataclass(frozen=True, slots=True)
class _Form:
    """How a country writes its numbers: who checks them, and what stands before them."""

    country: str
    checker: ModuleType
    prefix: str = ""


_FORMS: Final = {
    "au_abn": _Form("AU", abn),
    "ch_vat": _Form("CH", ch_vat),
    "gb_vat": _Form("GB", gb_vat, prefix="GB"),
    "in_gst": _Form("IN", gstin),
    "no_vat": _Form("NO", mva),
    "nz_gst": _Form("NZ", ird),
    "us_ein": _Form("US", ein),
}
KINDS: Final = (EU_VAT, *sorted(_FORMS))
NAMES: Final = {
    EU_VAT: "EU VAT number, which begins with its country like “DE136695976”",
    "au_abn": "Australian business number",
    "ch_vat": "Swiss VAT number",
    "gb_vat": "VAT number of the United Kingdom",
    "in_gst": "Indian GST number",
    "no_vat": "Norwegian VAT number",
    "nz_gst": "New Zealand IRD number",
    "us_ein": "employer identification number",
}


@dataclass(frozen=True, slots=True)
class Number:
    """A well-formed number, in one notation.

    :param kind: as Stripe calls it: `eu_vat`, `gb_vat`, …
    :param country: whose it is: ISO 3166, but XI for Northern Ireland.
    """

    kind: str
    value: str
    country: str


def parsed(kind: str, text: str) -> Number:
    """Read a number that somebody typed.

    :raises ValidationError: with code `unknown_tax_id_type` or `invalid_tax_id`.
    """
    try:
        if kind == EU_VAT:
            return _european(text)
        form = _FORMS.get(kind)
        if form is not None:
            value = form.checker.validate(text).removeprefix(form.prefix)
            return Number(kind, form.prefix + value, form.country)
    except MalformedError:
        raise ValidationError(f"{text!r} is no {NAMES[kind]}.", code="invalid_tax_id") from None
    raise ValidationError(
        f"{kind!r} is not one of: {', '.join(KINDS)}.", code="unknown_tax_id_type"
    )


def parsed_all(ids: Sequence[tuple[str, str]]) -> list[Number]:
    """Read several, in their order, each once.

    :raises ValidationError: under the name `tax_ids`, for the first that is malformed.
    """
    try:
        return list(dict.fromkeys(parsed(kind, text) for kind, text in ids))
    except ValidationError as fault:
        raise ValidationError({"tax_ids": fault}) from None


def kind_of(country: str) -> str:
    """The kind of number that a buyer in that country has, as far as we know one."""
    own = (kind for kind, form in _FORMS.items() if form.country == country)
    return next(own, EU_VAT)


def in_vies(value: str) -> tuple[str, str]:
    """An EU number in the two parts that VIES wants it in."""
    plain = "".join(character for character in value.upper() if character.isalnum())
    return plain[:2], plain[2:]


def _european(text: str) -> Number:
    typed = text.strip().upper()
    prefix = typed[:2]
    value = str(eu_vat.validate(_GREEK.get(prefix, prefix) + typed[2:]))
    country = "GR" if value.startswith("EL") else value[:2]
    return Number(EU_VAT, value, country)
