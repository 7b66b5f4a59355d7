"""`/plans`: what terms may be, and how they are answered."""

from __future__ import annotations

from typing import Any

import pytest

from billing.api.plan_shapes import PlanTermsInput, terms_of
from tests import builders
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db

MINIMAL = {"name": "Free", "currency": "USD", "amount": "0.00"}
ALLOWANCE = {"meter": "api_calls", "model": "allowance", "included": "1500", "unit_amount": "1.25"}
TIERS: list[dict[str, Any]] = [
    {"up_to": "100", "unit_amount": "2.00", "flat_amount": "5.00"},
    {"up_to": None, "unit_amount": "1.50", "flat_amount": "0.00"},
]


@pytest.fixture(autouse=True)
def _meter(db: None) -> None:
    builders.make_meter()


@pytest.mark.parametrize(
    ("price", "code", "field"),
    [
        ({"model": "graduated"}, "invalid_terms", "usage"),
        ({"model": "package"}, "invalid_terms", "usage"),
        ({"model": "free"}, "invalid_choice", "usage.0.model"),
        ({"tiers": [{"up_to": None}]}, "invalid_terms", "usage"),
        ({"tiers": [{"up_to": "many"}]}, "invalid_request", "usage.0.tiers.0.up_to"),
        ({"unit_amount": "0.1234567890123"}, "too_many_decimals", "usage.0.unit_amount"),
        ({"meter": "teleports"}, "invalid_request", "usage"),
        ({"included": "5", "model": "per_unit"}, "invalid_terms", "usage"),
        ({"model": "percentage"}, "required", "usage.0.percent"),
        ({"model": "percentage", "percent": "2.5"}, "invalid_terms", "usage"),
        ({"percent": "2.5"}, "invalid_terms", "usage"),
        ({"filter": "eu"}, "invalid_request", "usage.0.filter"),
        ({"filter": {"region": []}}, "invalid_request", "usage.0.filter"),
        ({"filter": {"region": 5}}, "invalid_request", "usage.0.filter"),
        ({"filter": {"region": ["eu", None]}}, "invalid_request", "usage.0.filter"),
        ({"filter": {"": "eu"}}, "invalid_terms", "usage"),
        ({"filter": {"region": [str(n) for n in range(101)]}}, "invalid_terms", "usage"),
        (
            {"model": "volume", "tiers": [{"up_to": None, "package_size": "0"}]},
            "invalid_terms",
            "usage",
        ),
    ],
)
def test_bad_prices_of_usage(
    operator: Caller, price: dict[str, Any], code: str, field: str
) -> None:
    sound = {"meter": "api_calls", "model": "allowance", "unit_amount": "1"}

    answer = operator.post("/plans", {**MINIMAL, "usage": [{**sound, **price}]})

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]


def test_every_model_is_answered_as_it_was_sent(operator: Caller) -> None:
    for code in ("storage", "mails", "seconds"):
        operator.post("/meters", {"code": code, "name": code, "aggregation": "sum"})
    usage = [
        {"meter": "api_calls", "model": "graduated", "tiers": TIERS},
        {"meter": "storage", "model": "volume", "tiers": TIERS},
        {"meter": "mails", "model": "package", "package_size": "1000", "unit_amount": "0.75"},
        {"meter": "seconds", "model": "per_unit", "unit_amount": "0.0125"},
    ]
    plan = {
        **MINIMAL,
        "amount": "0",
        "usage": usage,
        "minimum": "25.00",
        "quantity_unit": "seat",
        "quantity_pricing": {"model": "graduated", "tiers": TIERS},
    }

    made = operator.post("/plans", plan).body

    assert made["usage"] == usage
    assert made["quantity_pricing"] == plan["quantity_pricing"]
    assert made["minimum"] == "25.00"
    assert operator.get(f"/plans/{made['id']}").body == made


def test_packages_with_free_ones_and_percentages_are_answered_as_they_were_sent(
    operator: Caller,
) -> None:
    usage: list[dict[str, Any]] = [
        {
            "meter": "api_calls",
            "model": "package",
            "included": "50",
            "package_size": "100",
            "unit_amount": "0.75",
        },
        {
            "meter": "sales",
            "model": "percentage",
            "included": "1000",
            "percent": "2.5",
        },
        {
            "meter": "fees",
            "model": "graduated",
            "tiers": [{**TIERS[0], "package_size": "10"}, TIERS[1]],
        },
    ]
    for code in ("sales", "fees"):
        builders.make_meter(code)

    made = operator.post("/plans", {**MINIMAL, "usage": usage}).body

    assert made["usage"] == usage
    assert operator.get(f"/plans/{made['id']}").body == made


def test_components_of_one_meter_differ_in_their_filters(operator: Caller) -> None:
    price = {"meter": "api_calls", "model": "per_unit"}
    usage = [
        {**price, "unit_amount": "2.00", "filter": {"model": "large", "region": ["eu", "us"]}},
        {**price, "unit_amount": "1.00", "filter": {}},
    ]

    made = operator.post("/plans", {**MINIMAL, "usage": usage}).body

    assert [component.get("filter") for component in made["usage"]] == [
        {"model": ["large"], "region": ["eu", "us"]},
        None,
    ]
    twice = operator.post("/plans", {**MINIMAL, "usage": [usage[1], usage[1]]})
    assert (twice.status, twice.code) == (400, "invalid_terms")
    assert twice.body["errors"] == {"usage": ["One price for each meter and filter."]}


def test_a_quantity_may_be_priced_beside_an_amount(operator: Caller) -> None:
    body = {
        **MINIMAL,
        "amount": "20.00",
        "quantity_unit": "seat",
        "quantity_pricing": {"model": "volume", "tiers": TIERS},
        "minimum_quantity": 3,
    }

    made = operator.post("/plans", body).body

    assert (made["amount"], made["minimum_quantity"]) == ("20.00", 3)
    assert made["quantity_pricing"] == body["quantity_pricing"]


def test_when_things_are_billed_and_tried_and_changed(operator: Caller) -> None:
    conditions = {
        "billed": "in_advance",
        "trial_usage": "counted",
        "trial_requires_payment_method": True,
        "changes": {
            "upgrade": {"when": "period_end", "charge": "none"},
            "downgrade": {"when": "now", "charge": "reset"},
        },
    }

    made = operator.post("/plans", {**MINIMAL, **conditions}).body

    assert {name: made[name] for name in conditions} == conditions


def test_a_part_of_the_policies_changes_and_the_rest_stays(operator: Caller) -> None:
    made = operator.post("/plans", MINIMAL).body
    path = f"/plans/{made['id']}"
    operator.patch(path, {"changes": {"downgrade": {"charge": "full"}}})

    changed = operator.patch(path, {"changes": {"upgrade": {"when": "period_end"}}}).body

    assert changed["version"] == 3
    assert changed["changes"] == {
        "upgrade": {"when": "period_end", "charge": "prorate"},
        "downgrade": {"when": "period_end", "charge": "full"},
    }
    assert operator.patch(path, {"tier": 2}).body["version"] == 3


def test_the_terms_of_a_plan_may_be_sent_without_a_plan() -> None:
    shape = PlanTermsInput(
        data={"currency": "EUR", "amount": "9.00", "billed": "in_advance", "usage": [ALLOWANCE]}
    )

    assert shape.is_valid()
    terms = terms_of(shape.validated_data)
    assert terms.is_in_advance
    assert [usage.component for usage in terms.usage] == ["api_calls"]
    assert not PlanTermsInput(data={**MINIMAL, "tier": 1}).is_valid()
