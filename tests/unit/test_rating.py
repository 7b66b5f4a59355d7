from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from billing.core import rating
from billing.core.proration import WHOLE, Share
from plans.terms import UsageModel, UsageTerms
from tests.terms import seed_terms

PREMIUM = seed_terms("180", "400", "1.80")
CALLS = PREMIUM.usage[0]
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
    price = UsageTerms("api_calls", UsageModel.PER_UNIT, Decimal("0.0125"))
    rated = rating.usage(price, used=Decimal(1345), share=WHOLE, currency="USD")
    assert rated.amount.minor == 16_81  # 16.8125
    assert rated.explanation == "1345 × 0.0125 = 16.81 USD"
    assert rating.allowance(price, WHOLE) is None


@given(rates, rates, rates)
def test_more_usage_never_costs_less(included: Decimal, price: Decimal, used: Decimal) -> None:
    terms = UsageTerms("api_calls", UsageModel.ALLOWANCE, price, included)
    less = rating.usage(terms, used=used, share=WHOLE, currency="KWD")
    more = rating.usage(terms, used=used + 1, share=WHOLE, currency="KWD")
    assert more.amount.minor >= less.amount.minor
