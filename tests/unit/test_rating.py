from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import rating
from billing.core.money import Money, round_minor
from billing.core.proration import WHOLE, Share
from plans.prices import Price, Tier, UsageModel
from tests.terms import seed_terms

PREMIUM = seed_terms("180", "400", "1.80")
CALLS = PREMIUM.usage[0].price
NINETEEN_DAYS = Share(19, 30)

rates = st.decimals(min_value=0, max_value=10**6, places=6)


def test_a_short_month_shrinks_the_charge_and_says_so() -> None:
    rated = rating.recurring(PREMIUM, quantity=1, share=NINETEEN_DAYS)
    assert rated.amount.minor == 114_00
    assert rated.explanation == "180.00 × 19/30 days = 114.00 USD"


def test_seats_multiply_the_charge() -> None:
    terms = seed_terms("180", "400", "1.80", quantity_unit="seat")
    rated = rating.recurring(terms, quantity=3, share=WHOLE)
    assert rated.amount.minor == 540_00
    assert rated.explanation == "180.00 × 3 seat = 540.00 USD"


def test_the_allowance_shrinks_with_the_month_exactly() -> None:
    assert rating.allowance(CALLS, NINETEEN_DAYS) == Fraction(760, 3)


def test_overage_is_exact_although_the_allowance_is_a_fraction() -> None:
    rated = rating.usage(CALLS, used=Decimal(300), share=NINETEEN_DAYS, currency="USD")
    assert rated.amount.minor == 84_00
    assert rated.explanation == (
        "300 used − 253.33… included (400 × 19/30 days) = 46.66… × 1.80 = 84.00 USD"
    )


def test_what_is_within_the_allowance_is_free() -> None:
    rated = rating.usage(CALLS, used=Decimal(400), share=WHOLE, currency="USD")
    assert rated.amount.minor == 0
    assert rated.quantity == 0
    assert rated.explanation == "400 used of 400 included"


def test_per_unit_has_no_allowance() -> None:
    price = Price(UsageModel.PER_UNIT, Decimal("0.0125"))
    rated = rating.usage(price, used=Decimal(1345), share=WHOLE, currency="USD")
    assert rated.amount.minor == 16_81  # 16.8125
    assert rated.explanation == "1345 × 0.0125 = 16.81 USD"
    assert rating.allowance(price, WHOLE) is None


@given(rates, rates, rates)
def test_more_usage_never_costs_less(included: Decimal, price: Decimal, used: Decimal) -> None:
    terms = Price(UsageModel.ALLOWANCE, price, included)
    less = rating.usage(terms, used=used, share=WHOLE, currency="KWD")
    more = rating.usage(terms, used=used + 1, share=WHOLE, currency="KWD")
    assert more.amount.minor >= less.amount.minor


TIERS = (
    Tier(Decimal(5), Decimal(5), Decimal(10)),
    Tier(Decimal(10), Decimal("4.5")),
    Tier(None, Decimal(3)),
)


@pytest.mark.parametrize(
    ("model", "used", "explanation"),
    [
        (UsageModel.GRADUATED, "0", "0 × 5.00 + 10.00 flat = 10.00 USD"),
        (UsageModel.GRADUATED, "12", "5 × 5.00 + 10.00 flat + 5 × 4.50 + 2 × 3.00 = 63.50 USD"),
        (UsageModel.VOLUME, "12", "12 × 3.00 = 36.00 USD"),
        (UsageModel.VOLUME, "5", "5 × 5.00 + 10.00 flat = 35.00 USD"),
    ],
)
def test_tiers_say_what_each_contributed(model: UsageModel, used: str, explanation: str) -> None:
    price = Price(model, tiers=TIERS)
    rated = rating.usage(price, used=Decimal(used), share=WHOLE, currency="USD")
    assert rated.explanation == explanation
    assert rated.unit_amount is None
    assert (
        round_minor(sum((tier.exact for tier in rated.tiers), Fraction(0)), "USD") == rated.amount
    )


def test_packages_are_counted_when_begun() -> None:
    price = Price(UsageModel.PACKAGE, Decimal(100), package_size=Decimal(10))
    rated = rating.usage(price, used=Decimal(121), share=WHOLE, currency="USD")
    assert rated.explanation == "121 in packages of 10 = 13 × 100.00 = 1,300.00 USD"
    assert rated.quantity == 13


def test_seats_by_tiers_shrink_with_a_short_month() -> None:
    terms = seed_terms(
        "0",
        "0",
        "0",
        quantity_unit="seat",
        quantity_pricing=Price(UsageModel.GRADUATED, tiers=TIERS),
    )
    rated = rating.recurring(terms, quantity=6, share=Share(15, 30))
    assert rated.explanation == ("(5 × 5.00 + 10.00 flat + 1 × 4.50) × 15/30 days = 19.75 USD")


def test_a_minimum_shrinks_with_the_month_and_is_made_up() -> None:
    """Lago's minimum commitment: two of February's 29 days, 6.90 and 30.00 charged."""
    rated = rating.true_up(Decimal(10_000), charged=Money(3690, "USD"), share=Share(2, 29))
    assert rated is not None
    assert rated.amount.minor == 652_76
    assert rated.explanation == ("10000.00 least × 2/29 days = 689.66 − 36.90 charged = 652.76 USD")
    assert rating.true_up(Decimal(10), charged=Money(1000, "USD"), share=WHOLE) is None


@given(
    st.sampled_from([UsageModel.GRADUATED, UsageModel.PACKAGE, UsageModel.PER_UNIT]),
    rates,
    st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_using_more_never_costs_less(model: UsageModel, used: Decimal, currency: str) -> None:
    """Volume is left out: there a cheaper tier may make more cost less, which is its point."""
    price = {
        UsageModel.GRADUATED: Price(model, tiers=TIERS),
        UsageModel.PACKAGE: Price(model, Decimal("1.25"), package_size=Decimal(7)),
        UsageModel.PER_UNIT: Price(model, Decimal("0.003")),
    }[model]
    less = rating.usage(price, used=used, share=WHOLE, currency=currency)
    more = rating.usage(price, used=used + 1, share=WHOLE, currency=currency)
    assert more.amount.minor >= less.amount.minor


PACKAGED = (
    Tier(Decimal(10), Decimal("0.5"), Decimal(3)),
    Tier(Decimal(100), Decimal("0.333"), package_size=Decimal(7)),
    Tier(None, Decimal("0.1"), Decimal(2)),
)
MONOTONE = [
    Price(UsageModel.ALLOWANCE, Decimal("1.25"), Decimal(50)),
    Price(UsageModel.GRADUATED, tiers=PACKAGED),
    Price(UsageModel.PACKAGE, Decimal("1.5"), Decimal(5), package_size=Decimal(10)),
    Price(UsageModel.PERCENTAGE, included=Decimal(20), percent=Decimal("1.5")),
]
quantities = st.decimals(min_value=0, max_value=10**4, places=3)


@given(st.sampled_from(MONOTONE), quantities, quantities, st.integers(0, 30))
def test_more_never_costs_less_in_a_short_period_either(
    price: Price, some: Decimal, other: Decimal, days: int
) -> None:
    share = Share(days, 30)
    less, more = (
        rating.usage(price, used=used, share=share, currency="KWD").amount.minor
        for used in sorted([some, other])
    )
    assert less <= more


@given(st.sampled_from(MONOTONE), quantities)
def test_a_shorter_period_never_includes_more(price: Price, used: Decimal) -> None:
    costs = [
        rating.usage(price, used=used, share=Share(days, 30), currency="KWD").amount.minor
        for days in range(31)
    ]
    assert costs == sorted(costs, reverse=True)


@given(quantities, st.sampled_from(["USD", "JPY", "KWD"]))
def test_the_parts_of_tiers_sum_to_the_line(used: Decimal, currency: str) -> None:
    price = Price(UsageModel.GRADUATED, tiers=PACKAGED)
    rated = rating.usage(price, used=used, share=WHOLE, currency=currency)
    assert sum((tier.units for tier in rated.tiers), Fraction(0)) == Fraction(used)
    parts = sum((tier.exact for tier in rated.tiers), Fraction(0))
    assert rated.amount == round_minor(parts, currency)
