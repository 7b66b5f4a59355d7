from __future__ import annotations

from collections import Counter
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from billing.core import routing
from billing.core.routing import Candidate, Need, Objection, Route

CARDS = Route("cards", {"card": None}, priority=10)
BOTH = Route("both", {"card": frozenset({"EUR", "USD"}), "pix": frozenset({"BRL"})}, priority=20)
FIRST, SECOND = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("route", "need", "against"),
    [
        (CARDS, Need("EUR", "DE", "card"), None),
        (CARDS, Need(), None),
        (None, Need("EUR"), Objection.UNKNOWN),
        (replace(CARDS, is_enabled=False), Need("EUR"), Objection.DISABLED),
        (CARDS, Need("BRL", kind="pix"), Objection.KIND),
        (BOTH, Need("EUR", kind="pix"), Objection.CURRENCY),
        (BOTH, Need("BRL"), None),
        (BOTH, Need("JPY"), Objection.CURRENCY),
        (replace(CARDS, currencies=frozenset({"USD"})), Need("EUR"), Objection.CURRENCY),
        (replace(CARDS, currencies=frozenset({"USD"})), Need("USD"), None),
        (replace(CARDS, countries=frozenset({"BR"})), Need(country="DE"), Objection.COUNTRY),
        (replace(CARDS, countries=frozenset({"BR"})), Need(country="BR"), None),
        (replace(CARDS, countries=frozenset({"BR"})), Need(), None),
        (replace(CARDS, is_available=False), Need("EUR"), None),
    ],
)
def test_a_route_says_why_it_will_not_do(
    route: Route | None, need: Need, against: Objection | None
) -> None:
    assert routing.objection(route, need) == against


def test_a_set_up_goes_to_the_first_that_fits_and_answers() -> None:
    card, pix = Need("EUR", kind="card"), Need("BRL", kind="pix")

    assert routing.for_setup([BOTH, CARDS], card, seed="a").chosen == "cards"
    assert routing.for_setup([BOTH, CARDS], pix, seed="a").chosen == "both"
    silent = replace(CARDS, is_available=False)
    chosen = routing.for_setup([silent, BOTH], card, seed="a")
    assert chosen.chosen == "both"
    assert chosen.reason == "cards does not answer; first by priority (20)"


def test_where_nothing_fits_every_reason_is_told() -> None:
    off = replace(CARDS, is_enabled=False)

    choice = routing.for_setup([off, BOTH], Need("JPY", kind="card"), seed="a")

    assert choice.chosen is None
    assert choice.reason == "cards is switched off; both does not take this currency"
    assert routing.for_setup([], Need(), seed="a").reason == "there is no gateway"


def test_equals_share_by_weight_and_each_seed_stays_with_its_own() -> None:
    heavy, light = replace(CARDS, gateway="heavy", weight=3), replace(CARDS, gateway="light")
    seeds = [str(number) for number in range(2000)]

    drawn = [routing.for_setup([heavy, light], Need(), seed=seed).chosen for seed in seeds]

    assert Counter(drawn)["heavy"] == pytest.approx(1500, abs=80)
    assert drawn == [routing.for_setup([light, heavy], Need(), seed=seed).chosen for seed in seeds]


def candidates(*pairs: tuple[UUID, str]) -> list[Candidate]:
    return [
        Candidate(method_id, gateway, "card", is_default=place == 0)
        for place, (method_id, gateway) in enumerate(pairs)
    ]


def charge(*routes: Route, currency: str = "EUR") -> routing.Choice:
    found = {route.gateway: route for route in routes}
    methods = candidates((FIRST, "cards"), (SECOND, "both"))
    return routing.for_charge(methods, found, Need(currency), seed="a")


def test_the_default_method_is_charged_whatever_the_priority() -> None:
    choice = charge(replace(CARDS, priority=99), BOTH)

    assert (choice.method_id, choice.reason) == (FIRST, "the default payment method")


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (replace(CARDS, is_enabled=False), "cards is switched off"),
        (replace(CARDS, currencies=frozenset({"USD"})), "cards does not take this currency"),
        (replace(CARDS, is_available=False, fails_over=True), "cards does not answer"),
    ],
)
def test_where_its_gateway_will_not_do_the_next_method_is_charged(first: Route, why: str) -> None:
    choice = charge(first, BOTH)

    assert choice.method_id == SECOND
    assert choice.reason == f"{why}; the next payment method"


def test_one_that_does_not_answer_is_waited_for_unless_its_route_fails_over() -> None:
    assert charge(replace(CARDS, is_available=False), BOTH).method_id == FIRST


def test_where_no_method_will_do_nothing_is_charged() -> None:
    choice = charge(replace(CARDS, is_enabled=False), BOTH, currency="JPY")

    assert choice.method_id is None
    assert choice.reason == "cards is switched off; both does not take this currency"
    assert charge(BOTH, currency="JPY").reason.startswith("cards is not configured")
    assert routing.for_charge([], {}, Need(), seed="a").reason == "there is no payment method"
