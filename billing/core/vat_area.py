"""Where EU VAT is levied: the member states, and those parts of them that are different."""

from __future__ import annotations

from typing import Final

_CODES: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
MEMBERS: Final = frozenset(_CODES.split())

MADEIRA: Final = "PT-30"
AZORES: Final = "PT-20"
JUNGHOLZ: Final = "AT-JM"  # Jungholz and Mittelberg; ISO 3166-2 has no code for them

# Codes that stand for another country where VAT is concerned: Greece's prefix of VAT numbers,
# the colloquial code of the United Kingdom, and two that share their neighbour's VAT.
_SAME: Final = {"EL": "GR", "UK": "GB", "MC": "FR", "IM": "GB"}

# Directive 2006/112/EC, art. 6: country → the postal codes, or their first digits, of territories
# where it does not apply. Those with a country code of their own (Åland: AX, Réunion: RE) are
# outside by that as well.
_OUTSIDE: Final = {
    "DE": ("27498", "78266"),  # Helgoland, Büsingen
    "ES": ("35", "38", "51", "52"),  # Canary Islands (two provinces), Ceuta, Melilla
    "FI": ("22",),  # Åland
    "FR": ("971", "972", "973", "974", "975", "976", "977", "978", "98"),  # overseas, not Monaco
    "GR": ("63086", "63087"),  # Mount Athos
    "IT": ("22061", "23041"),  # Campione d'Italia, Livigno
}
_MONACO: Final = "980"

# Country → first digits of postal code → region with rates of its own.
_REGIONS: Final[dict[str, dict[tuple[str, ...], str]]] = {
    "AT": {("6691", "6991", "6992", "6993", "87491", "87567", "87568", "87569"): JUNGHOLZ},
    "PT": {
        ("90", "91", "92", "93", "94"): MADEIRA,
        ("95", "96", "97", "98", "99"): AZORES,
    },
}


def country_of(code: str) -> str:
    """The ISO code of a country, from that or from the prefix of a VAT number."""
    code = code.strip().upper()
    return _SAME.get(code, code)


def is_inside(country: str, postal_code: str) -> bool:
    """Whether EU VAT is levied there."""
    code, digits = country_of(country), _digits(postal_code)
    if code == "FR" and digits.startswith(_MONACO):
        return True
    return code in MEMBERS and not digits.startswith(_OUTSIDE.get(code, ()))


def region_of(country: str, postal_code: str) -> str:
    """The region of a member state that has rates of its own, if the postal code is of one."""
    digits = _digits(postal_code)
    for prefixes, region in _REGIONS.get(country_of(country), {}).items():
        if digits.startswith(prefixes):
            return region
    return ""


def _digits(postal_code: str) -> str:
    """Without what people write around them: `FIN-22100`, `630 86`."""
    return "".join(character for character in postal_code if character.isdigit())
