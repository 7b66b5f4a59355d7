"""`/meters` and `/features`."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from plans import services
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db


def test_a_meter_is_made_with_what_is_usual(operator: Caller) -> None:
    answer = operator.post("/meters", {"code": "api_calls"})

    assert answer.status == 201
    assert answer.body == {
        "id": answer.body["id"],
        "code": "api_calls",
        "name": "api_calls",
        "aggregation": "sum",
        "unit": "",
        "field": None,
    }


def test_a_meter_that_counts(operator: Caller) -> None:
    body = {"code": "calls", "name": "Calls", "aggregation": "count", "unit": "call", "field": None}

    answer = operator.post("/meters", body)

    assert answer.body == {"id": answer.body["id"], **body}


@pytest.mark.parametrize("aggregation", ["sum", "count", "max", "last", "unique"])
def test_a_meter_of_a_property(operator: Caller, aggregation: str) -> None:
    body = {"code": "x", "name": "X", "aggregation": aggregation, "unit": "", "field": "user_id"}

    answer = operator.post("/meters", body)

    assert (answer.status, answer.body) == (201, {"id": answer.body["id"], **body})
    assert operator.get("/meters").body["meters"] == [answer.body]


@pytest.mark.parametrize("aggregation", ["sum", "count", "max", "last"])
def test_a_meter_of_quantities(operator: Caller, aggregation: str) -> None:
    answer = operator.post("/meters", {"code": "x", "aggregation": aggregation, "field": None})

    assert (answer.body["aggregation"], answer.body["field"]) == (aggregation, None)


def test_the_service_too_wants_to_know_what_is_unique(db: None) -> None:
    with pytest.raises(ValidationError, match="Name the property"):
        services.create_meter("x", name="X", aggregation="UNIQUE")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, "required", "code"),
        ({"code": "no spaces"}, "invalid_request", "code"),
        ({"code": "x" * 65}, "max_length", "code"),
        ({"code": "x", "aggregation": "unique"}, "required", "field"),
        ({"code": "x", "aggregation": "unique", "field": None}, "required", "field"),
        ({"code": "x", "aggregation": "median"}, "invalid_choice", "aggregation"),
        ({"code": "x", "field": ""}, "blank", "field"),
        ({"code": "x", "field": "x" * 65}, "max_length", "field"),
        ({"code": "x", "field": 7}, "invalid_request", "field"),
        ({"code": "x", "color": "red"}, "unknown_field", "color"),
    ],
)
def test_bad_meters(operator: Caller, fields: dict[str, Any], code: str, field: str) -> None:
    answer = operator.post("/meters", fields)

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]


def test_a_code_comes_once(operator: Caller) -> None:
    for path, code in (("/meters", "meter_exists"), ("/features", "feature_exists")):
        assert operator.post(path, {"code": "x"}).status == 201
        again = operator.post(path, {"code": "x"})
        assert (again.status, again.code) == (409, code)


def test_features(operator: Caller) -> None:
    operator.post("/features", {"code": "sso"})
    operator.post("/features", {"code": "projects", "kind": "limit"})

    listed = operator.get("/features").body["features"]

    assert [(row["code"], row["kind"]) for row in listed] == [
        ("projects", "limit"),
        ("sso", "switch"),
    ]
