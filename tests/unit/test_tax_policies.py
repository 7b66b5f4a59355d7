"""Who is charged which tax. The cases of EU VAT are rows of `tests/golden/vat.csv`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import vat_area
from billing.core.errors import ConflictError
from billing.core.tax_policies import (
    UNTAXED,
    Buyer,
    Place,
    Rate,
    RateTable,
    Seller,
    Taxation,
    TaxNumber,
    TaxPolicyKind,
    WhenUnverified,
)
from billing.core.taxes import TaxCategory, TaxRounding
from tests.golden.tables import bundled_rates

TODAY = date(2026, 11, 20)
NOTHING = Decimal(0)
BUNDLED = bundled_rates()


def rate(percent: str, country: str, region: str = "", **fields: object) -> Rate:
    usual: dict[str, object] = {"tax_class": "standard", "starts_on": date(2015, 1, 1)}
    return Rate(country, region, percent=Decimal(percent), **(usual | fields))  # type: ignore[arg-type]


def fixed(buyer: Place, *rates: Rate, exemption: str = "") -> Taxation:
    seller = Seller(Place("US", "NY"), TaxPolicyKind.FIXED_RATE)
    return Taxation(seller, Buyer(buyer, exemption=exemption), RateTable(rates))


def eu(
    seller: str, buyer: Buyer, *, rates: RateTable = BUNDLED, when: str = "HOLD", oss: bool = True
) -> Taxation:
    place = Seller(
        Place(seller),
        TaxPolicyKind.EU_VAT,
        is_oss_registered=oss,
        when_unverified=WhenUnverified(when),
    )
    return Taxation(place, buyer, rates)


def test_a_regions_rate_comes_before_its_countrys() -> None:
    rates = [rate("5", "CA"), rate("14.975", "CA", "QC")]

    assert fixed(Place("CA", "qc "), *rates).tax_of("standard", TODAY).percent == Decimal("14.975")
    assert fixed(Place("CA", "QC"), *rates).tax_of("standard", TODAY).region == "QC"
    assert fixed(Place("CA", "AB"), *rates).tax_of("standard", TODAY).percent == 5
    assert fixed(Place("CA", "AB"), *rates).tax_of("standard", TODAY).region == ""


def test_where_there_is_no_rate_nothing_is_levied() -> None:
    tax = fixed(Place("BR"), rate("5", "CA")).tax_of("zero", TODAY)

    assert (tax.category, tax.percent, tax.note) == (TaxCategory.OUT_OF_SCOPE, NOTHING, "")


def test_a_buyer_of_no_known_place_is_taken_to_be_at_home() -> None:
    taxation = fixed(Place(""), rate("4", "US", "NY"))

    assert taxation.tax_of("standard", TODAY).percent == 4


def test_an_exempt_buyer_is_charged_nothing_and_told_why() -> None:
    reason = "Diplomatic mission, Article 151."
    for taxation in (
        fixed(Place("US", "NY"), rate("4", "US", "NY"), exemption=reason),
        eu("DE", Buyer(Place("DE"), TaxNumber("DE", is_valid=None), reason)),
    ):
        tax = taxation.tax_of("standard", TODAY)
        assert (tax.category, tax.percent, tax.note) == (TaxCategory.EXEMPT, NOTHING, reason)
        assert not taxation.must_wait


def test_a_rate_holds_through_its_last_day() -> None:
    table = RateTable(
        [
            rate("19", "DE", ends_on=date(2020, 6, 30)),
            rate("16", "DE", starts_on=date(2020, 7, 1), ends_on=date(2020, 12, 31)),
        ]
    )

    assert table.find("DE", "", "standard", date(2014, 12, 31)) is None
    assert table.find("DE", "", "standard", date(2020, 6, 30)) == 19
    assert table.find("DE", "", "standard", date(2020, 7, 1)) == 16
    assert table.find("DE", "", "standard", date(2021, 1, 1)) is None


def test_a_class_counts_for_more_than_a_region_and_an_unknown_one_is_standard() -> None:
    table = RateTable(
        [rate("20", "AT"), rate("19", "AT", "AT-JM"), rate("10", "AT", tax_class="reduced")]
    )

    assert table.find("AT", "AT-JM", "reduced", TODAY) == 10
    assert table.find("AT", "AT-JM", "krummhorn", TODAY) == 19
    assert table.find("AT", "", "krummhorn", TODAY) == 20
    assert table.find("XX", "", "standard", TODAY) is None


def test_vat_without_a_rate_is_refused_rather_than_left_out() -> None:
    with pytest.raises(ConflictError) as caught:
        eu("DE", Buyer(Place("DE")), rates=RateTable([])).tax_of("standard", TODAY)

    assert caught.value.code == "no_tax_rate"


def test_a_seller_of_no_country_is_refused_rather_than_left_untaxed() -> None:
    with pytest.raises(ConflictError) as caught:
        eu("", Buyer(Place("DE"))).tax_of("standard", TODAY)

    assert caught.value.code == "seller_without_country"


def test_reverse_charge_and_export_say_why_there_is_no_vat() -> None:
    business = Buyer(Place("FR"), TaxNumber("FR", is_valid=True))

    assert "Article 196" in eu("DE", business).tax_of("standard", TODAY).note
    assert "outside" in eu("DE", Buyer(Place("US"))).tax_of("standard", TODAY).note


@pytest.mark.parametrize(
    ("buyer", "number", "when", "waits"),
    [
        ("FR", "FR", "HOLD", True),
        ("FR", "FR", "STANDARD_RATE", False),
        ("DE", "DE", "HOLD", False),
        ("FR", "IT", "HOLD", False),
        ("GB", "GB", "HOLD", False),
        ("US", "", "HOLD", False),
    ],
)
def test_only_a_number_that_would_change_the_tax_is_waited_for(
    buyer: str, number: str, when: str, *, waits: bool
) -> None:
    taxation = eu("DE", Buyer(Place(buyer), TaxNumber(number, is_valid=None)), when=when)

    assert taxation.must_wait is waits


def test_no_policy_means_no_tax() -> None:
    tax = UNTAXED.tax_of("standard", TODAY)

    assert (tax.category, tax.percent, tax.note) == (TaxCategory.OUT_OF_SCOPE, NOTHING, "")
    assert UNTAXED.rounding == TaxRounding.DOCUMENT
    assert not UNTAXED.must_wait


@pytest.mark.parametrize(
    ("country", "postal_code", "inside"),
    [
        ("DE", "27498", False),
        ("DE", "D-78266", False),
        ("DE", "78267", True),
        ("ES", "38001", False),
        ("ES", "51001", False),
        ("ES", "52001", False),
        ("ES", "28001", True),
        ("FI", "FI-22100", False),
        ("FI", "00100", True),
        ("AX", "22100", False),
        ("FR", "97100", False),
        ("FR", "98000", True),
        ("FR", "98713", False),
        ("FR", "20000", True),
        ("MC", "98000", True),
        ("GR", "630 86", False),
        ("EL", "10431", True),
        ("IT", "22061", False),
        ("IT", "23041", False),
        ("IT", "", True),
        ("GB", "", False),
        ("IM", "", False),
        ("", "", False),
    ],
)
def test_parts_of_member_states_are_outside_the_vat_area(
    country: str, postal_code: str, *, inside: bool
) -> None:
    assert vat_area.is_inside(country, postal_code) is inside


@given(
    st.sampled_from(sorted(vat_area.MEMBERS)),
    st.dates(min_value=date(2015, 1, 1), max_value=TODAY),
    st.sampled_from(["standard", "reduced", "second_reduced", "super_reduced", "e_book"]),
)
def test_every_member_state_has_a_rate_for_every_day(country: str, on: date, kind: str) -> None:
    standard = BUNDLED.find(country, "", "standard", on)
    percent = BUNDLED.find(country, "", kind, on)

    assert standard is not None
    assert 15 <= standard <= 27
    assert percent is not None
    assert percent <= standard


@given(
    st.sampled_from(["DE", "FR", "ES"]),
    st.sampled_from([*sorted(vat_area.MEMBERS), "US", "GB", ""]),
    st.sampled_from([None, True, False]),
    st.booleans(),
)
def test_a_sale_within_the_union_bears_vat_or_says_why_not(
    seller: str, buyer: str, answer: bool | None, oss: bool
) -> None:
    tax = eu(seller, Buyer(Place(buyer), TaxNumber(buyer, answer)), oss=oss).tax_of(
        "standard", TODAY
    )

    assert bool(tax.percent) != bool(tax.note)
    if tax.percent:
        assert tax.country in {seller, buyer}
        assert tax.percent == BUNDLED.find(tax.country, "", "standard", TODAY)
