from __future__ import annotations

from decimal import Decimal

import pytest

from billing.queries import catalogue
from billing.web.offers import offers, summary
from plans.terms import Price, Tier, UsageModel, UsageTerms
from tests import builders
from tests.terms import seed_terms

pytestmark = pytest.mark.django_db(transaction=True)

TIERS = (Tier(Decimal(10), Decimal(9), Decimal(5)), Tier(None, Decimal(7)))


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (
            Price(UsageModel.ALLOWANCE, Decimal("1.80"), Decimal(400)),
            "400 api calls included, then $1.80 each",
        ),
        (Price(UsageModel.PER_UNIT, Decimal("0.0125")), "api calls: $0.0125 each"),
        (
            Price(UsageModel.PACKAGE, Decimal(2), package_size=Decimal(50)),
            "$2.00 for each 50 api calls begun",
        ),
        (
            Price(UsageModel.GRADUATED, tiers=TIERS),
            "api calls: up to 10 $9.00 each and $5.00; above $7.00 each",
        ),
        (
            Price(UsageModel.VOLUME, tiers=TIERS),
            "api calls: all of them at up to 10 $9.00 each and $5.00; above $7.00 each",
        ),
    ],
)
def test_every_price_is_told(price: Price, words: str) -> None:
    terms = seed_terms("180", "0", "0", usage=(UsageTerms("api_calls", price),))
    builders.make_plan("Premium", terms)
    assert summary(offers(catalogue.on_sale())[0]) == f"Premium, $180.00 a month: {words}"


def test_seats_by_tiers_and_a_minimum_are_told() -> None:
    seats = Price(UsageModel.GRADUATED, tiers=TIERS)
    terms = seed_terms(
        "0",
        "0",
        "0",
        usage=(),
        quantity_unit="seat",
        quantity_pricing=seats,
        minimum=Decimal(25),
    )
    builders.make_plan("Team", terms)

    offer = offers(catalogue.on_sale())[0]

    assert offer.price == "up to 10 $9.00 each and $5.00; above $7.00 each"
    assert offer.per == "per seat, a month"
    assert offer.extras == ["At least $25.00 a month"]
