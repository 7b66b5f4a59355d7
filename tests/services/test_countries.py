"""What people write for a country, read as its code."""

from __future__ import annotations

import pytest

from customers import countries


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("DE", "DE"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("276", "DE"),
        ("Germany", "DE"),
        (" GERMANY ", "DE"),
        ("UK", "GB"),
        ("great britain", "GB"),
        ("EL", "GR"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        ("The Netherlands", "NL"),
        ("Cote d'Ivoire", "CI"),
        ("Côte d\u2019Ivoire", "CI"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
        ("Trinidad and Tobago", "TT"),
        ("Timor Leste", "TL"),
        ("Hong Kong", "HK"),
    ],
)
def test_a_country_is_known_by_its_codes_and_its_name(written: str, code: str) -> None:
    assert countries.code_of(written) == code


@pytest.mark.parametrize("written", ["", " ", "Country", "Wonderland", "XX", "ZZ", "EU", "AN", "K"])
def test_nothing_is_guessed(written: str) -> None:
    assert countries.code_of(written) == ""


def test_every_country_knows_itself() -> None:
    for code, name in countries.names().items():
        assert (countries.code_of(code), countries.code_of(name)) == (code, code)
