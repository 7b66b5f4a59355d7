"""Tax on lines: sums to the document, stays beside what is exact, and credits take it all back."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.errors import InvalidError
from billing.core.money import Money, round_half_away, total
from billing.core.taxes import Tax, TaxCategory, Taxed, TaxRounding, TaxTotal, credited, reckon

STANDARD, REDUCED = (Tax(TaxCategory.STANDARD, Decimal(rate), "DE") for rate in ("19", "7"))
EXPORT = Tax(TaxCategory.EXPORT, Decimal(0), note="No VAT.")
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
PERCENTS = st.sampled_from(["0.5", "2.1", "5.5", "7", "19", "25.5", "27", "100"])
TAXES = st.one_of(
    st.just(EXPORT), st.builds(Tax, st.just(TaxCategory.STANDARD), PERCENTS.map(Decimal))
)
MINORS = st.one_of(st.integers(-50, 50), st.integers(-(10**12), 10**12))


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[Money], list[Tax], list[bool]]:
    currency = draw(CURRENCIES)
    few = draw(st.lists(TAXES, min_size=1, max_size=3))
    line = st.tuples(MINORS, st.sampled_from(few), st.booleans())
    lines = draw(st.lists(line, max_size=12))
    nets = [Money(minor, currency) for minor, _, _ in lines]
    return currency, nets, [tax for _, tax, _ in lines], [inside for _, _, inside in lines]


def exact(net: Money, tax: Tax, *, is_included: bool) -> Fraction:
    rate = Fraction(tax.percent)
    return net.minor * (rate / (100 + rate) if is_included else rate / 100)


def without_tax(*minors: int, taxes: list[Tax], rounding: str = "DOCUMENT") -> Taxed:
    return reckon(
        [Money(minor, "EUR") for minor in minors],
        taxes,
        included=[False] * len(minors),
        currency="EUR",
        rounding=TaxRounding(rounding),
    )


@given(documents(), st.sampled_from(TaxRounding))
def test_lines_sum_to_the_document(
    document: tuple[str, list[Money], list[Tax], list[bool]], rounding: TaxRounding
) -> None:
    currency, nets, taxes, included = document
    taxed = reckon(nets, taxes, included=included, currency=currency, rounding=rounding)

    for each in taxed.totals:
        mine = [index for index, tax in enumerate(taxes) if tax == each.tax]
        assert total((taxed.amounts[i] for i in mine), currency) == each.amount
        assert total((taxed.nets[i] for i in mine), currency) == each.base
    assert taxed.base + taxed.amount == taxed.total
    assert [each.tax for each in taxed.totals] == list(dict.fromkeys(taxes))
    for net, amount, base, inside in zip(nets, taxed.amounts, taxed.nets, included, strict=True):
        assert net == (base + amount if inside else base)


@given(documents(), st.sampled_from(TaxRounding))
def test_no_line_is_off_by_a_whole_minor_unit(
    document: tuple[str, list[Money], list[Tax], list[bool]], rounding: TaxRounding
) -> None:
    currency, nets, taxes, included = document
    taxed = reckon(nets, taxes, included=included, currency=currency, rounding=rounding)

    for net, tax, inside, amount in zip(nets, taxes, included, taxed.amounts, strict=True):
        assert abs(amount.minor - exact(net, tax, is_included=inside)) < 1
        if not net or not tax.percent:
            assert not amount


@given(documents())
def test_a_group_is_rounded_once(
    document: tuple[str, list[Money], list[Tax], list[bool]],
) -> None:
    currency, nets, taxes, included = document
    taxed = reckon(nets, taxes, included=included, currency=currency, rounding=TaxRounding.DOCUMENT)

    for group in set(zip(taxes, included, strict=True)):
        mine = [i for i, key in enumerate(zip(taxes, included, strict=True)) if key == group]
        tax, inside = group
        whole = sum((exact(nets[i], tax, is_included=inside) for i in mine), Fraction(0))
        assert sum(taxed.amounts[i].minor for i in mine) == round_half_away(whole)


@given(documents(), st.sampled_from(TaxRounding))
def test_a_credit_of_everything_is_the_mirror(
    document: tuple[str, list[Money], list[Tax], list[bool]], rounding: TaxRounding
) -> None:
    currency, nets, taxes, included = document
    taxed = reckon(nets, taxes, included=included, currency=currency, rounding=rounding)
    mirror = reckon(
        [-net for net in nets], taxes, included=included, currency=currency, rounding=rounding
    )

    assert mirror.amounts == tuple(-amount for amount in taxed.amounts)
    assert mirror.nets == tuple(-net for net in taxed.nets)


@given(CURRENCIES, st.lists(st.integers(1, 10**9), min_size=1, max_size=8), PERCENTS, st.data())
def test_credits_take_the_whole_tax_in_any_number_of_steps(
    currency: str, minors: list[int], percent: str, data: st.DataObject
) -> None:
    sign = data.draw(st.sampled_from([1, -1]))
    rounding = data.draw(st.sampled_from(TaxRounding))
    tax = Tax(TaxCategory.STANDARD, Decimal(percent))
    nets = [Money(sign * minor, currency) for minor in minors]
    taxed = reckon(
        nets,
        [tax] * len(nets),
        included=[False] * len(nets),
        currency=currency,
        rounding=rounding,
    )
    [invoiced] = taxed.totals
    before = TaxTotal(tax, Money.zero(currency), Money.zero(currency))

    for net in data.draw(st.permutations(nets)):
        amount = credited(net, invoiced=invoiced, before=before)
        before = TaxTotal(tax, before.base + net, before.amount + amount)
        assert abs(before.amount.minor) <= abs(invoiced.amount.minor)

    assert before == invoiced


def test_totals_stand_in_the_order_in_which_lines_name_their_taxes() -> None:
    taxed = without_tax(10_00, 5_00, 1_00, taxes=[REDUCED, STANDARD, REDUCED])

    assert [(each.tax, each.base.minor, each.amount.minor) for each in taxed.totals] == [
        (REDUCED, 11_00, 77),
        (STANDARD, 5_00, 95),
    ]


def test_prices_with_and_without_tax_meet_in_one_total() -> None:
    taxed = reckon(
        [Money(1190, "EUR"), Money(1000, "EUR")],
        [STANDARD, STANDARD],
        included=[True, False],
        currency="EUR",
        rounding=TaxRounding.DOCUMENT,
    )

    assert taxed.totals == (TaxTotal(STANDARD, Money(2000, "EUR"), Money(380, "EUR")),)
    assert taxed.total == Money(2380, "EUR")


def test_the_left_over_cent_goes_to_the_largest_remainder_and_then_to_the_first() -> None:
    assert [each.minor for each in without_tax(3, 3, 4, taxes=[STANDARD] * 3).amounts] == [1, 0, 1]
    assert [each.minor for each in without_tax(3, 3, 3, taxes=[STANDARD] * 3).amounts] == [1, 1, 0]


def test_lines_that_cancel_out_bear_nothing_together() -> None:
    taxed = without_tax(3, 0, -3, taxes=[STANDARD] * 3)

    assert taxed.amount == Money(0, "EUR")
    assert taxed.amounts[1] == Money(0, "EUR")


def test_each_line_may_be_rounded_on_its_own() -> None:
    assert without_tax(3, 3, 3, taxes=[STANDARD] * 3).amount.minor == 2
    assert without_tax(3, 3, 3, taxes=[STANDARD] * 3, rounding="LINE").amount.minor == 3


def test_a_document_without_lines_bears_nothing() -> None:
    taxed = without_tax(taxes=[])

    assert taxed.totals == ()
    assert taxed.total == Money(0, "EUR")


def test_a_line_in_another_currency_is_refused() -> None:
    with pytest.raises(InvalidError, match="do not mix"):
        reckon(
            [Money(1, "USD")],
            [STANDARD],
            included=[False],
            currency="EUR",
            rounding=TaxRounding.DOCUMENT,
        )


@pytest.mark.parametrize(
    ("category", "percent"),
    [(TaxCategory.STANDARD, "101"), (TaxCategory.STANDARD, "-1"), (TaxCategory.EXPORT, "19")],
)
def test_what_is_no_rate_is_refused(category: TaxCategory, percent: str) -> None:
    with pytest.raises(InvalidError):
        Tax(category, Decimal(percent))


def test_the_first_credit_needs_nothing_before_it() -> None:
    invoiced = TaxTotal(STANDARD, Money(100_00, "EUR"), Money(19_00, "EUR"))

    assert credited(Money(50_00, "EUR"), invoiced=invoiced) == Money(9_50, "EUR")
    assert credited(Money(100_00, "EUR"), invoiced=invoiced) == Money(19_00, "EUR")
