from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.queries import catalogue
from billing.web.offers import Offer, offers, summary
from plans.prices import Price, Tier, UsageModel
from plans.terms import Billed, PlanTerms, UsageTerms
from tests import builders
from tests.terms import seed_terms

pytestmark = pytest.mark.django_db(transaction=True)

TIERS = (Tier(Decimal(10), Decimal(9), Decimal(5)), Tier(None, Decimal(7)))


FREE_THEN_FLAT = (
    Tier(Decimal(10), Decimal(0)),
    Tier(Decimal(20), Decimal(0), Decimal(5)),
    Tier(None, Decimal(3), package_size=Decimal(10)),
)


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
            Price(UsageModel.PACKAGE, Decimal(2), Decimal(100), package_size=Decimal(50)),
            "100 api calls included, then $2.00 for each 50 begun",
        ),
        (
            Price(UsageModel.GRADUATED, tiers=TIERS),
            "api calls: $9.00 each up to 10 (plus $5.00), then $7.00 each",
        ),
        (
            Price(UsageModel.VOLUME, tiers=TIERS),
            "api calls: all at $9.00 each up to 10 (plus $5.00), all at $7.00 each above",
        ),
        (
            Price(UsageModel.GRADUATED, tiers=FREE_THEN_FLAT),
            "api calls: free up to 10, $5.00 flat up to 20, then $3.00 for each 10 begun",
        ),
        (
            Price(UsageModel.VOLUME, tiers=FREE_THEN_FLAT),
            (
                "api calls: all free up to 10, $5.00 flat up to 20, "
                "all at $3.00 for each 10 begun above"
            ),
        ),
        (Price(UsageModel.GRADUATED, tiers=TIERS[1:]), "api calls: $7.00 each"),
        (Price(UsageModel.PERCENTAGE, percent=Decimal("2.50")), "2.5 % of api calls"),
        (
            Price(UsageModel.PERCENTAGE, included=Decimal(1000), percent=Decimal("2.5")),
            "2.5 % of api calls above $1,000.00",
        ),
    ],
)
def test_every_price_is_told(price: Price, words: str) -> None:
    terms = seed_terms("180", "0", "0", usage=(UsageTerms("api_calls", price),))

    assert summary(offer_of(terms)) == f"Premium, $180.00 a month: {words}"


def test_what_a_filter_lets_through_is_told() -> None:
    price = Price(UsageModel.PER_UNIT, Decimal(1))
    usage = (
        UsageTerms("api_calls", price, {"model": ("large",), "region": ("eu", "us")}),
        UsageTerms("api_calls", price),
    )

    assert offer_of(seed_terms("0", "0", "0", usage=usage)).usage == [
        "api calls (model large, region eu or us): $1.00 each",
        "other api calls: $1.00 each",
    ]


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
        minimum_quantity=3,
    )

    offer = offer_of(terms)

    assert offer.price == "$9.00 each up to 10 (plus $5.00), then $7.00 each"
    assert offer.per == "per seat, a month"
    assert offer.extras == ["From 3 × seat on", "At least $25.00 a month"]


def test_an_amount_beside_the_price_of_seats_is_told_apart() -> None:
    terms = seed_terms(
        "20",
        "400",
        "1.80",
        quantity_unit="seat",
        quantity_pricing=Price(UsageModel.VOLUME, tiers=TIERS[1:]),
    )

    assert summary(offer_of(terms)) == (
        "Premium, $20.00 a month: plus per seat: all at $7.00 each; "
        "400 api calls included, then $1.80 each"
    )


def test_what_is_billed_in_advance_is_told() -> None:
    def extras(**changes: Any) -> object:
        return offer_of(seed_terms("20", "400", "1.80", **changes)).extras

    assert extras() == []
    assert extras(billed=Billed.IN_ADVANCE) == ["Billed in advance; usage afterwards"]
    assert extras(billed=Billed.IN_ADVANCE, usage=()) == ["Billed in advance"]


def test_a_trial_that_needs_a_card_is_not_offered_without_one(client: Client) -> None:
    builders.make_plan("Open", seed_terms("180", "400", "1.80"))
    builders.make_plan("Careful", seed_terms("180", "400", "1.80", trial_needs_method=True))

    page = client.get("/").content.decode()

    assert page.count("<li>14 days free</li>") == 1
    assert page.count("<li>14 days free, without a card</li>") == 1


def offer_of(terms: PlanTerms) -> Offer:
    """The card of a plan with such terms."""
    builders.make_plan("Premium", terms)
    return next(offer for offer in offers(catalogue.on_sale()) if offer.plan.terms == terms)
