"""The OpenAPI document: generated without a warning, complete, true to itself, and browsable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships none

from billing.api import document as whole
from billing.api.groups import GROUPS, group_of
from tests.api.addresses import ids_of
from tests.api.calling import Caller, caller, document, resolved
from tests.api.rights import TABLE
from tests.api.stage import set_stage
from tests.api.test_permissions import MISSING

COMMITTED = Path(__file__).resolve().parents[2] / "docs/api/openapi.yaml"
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method, path, operation)
    for path, operations in document()["paths"].items()
    if path.startswith(("/api/v1/", "/billing/"))
    for method, operation in operations.items()
]
SCHEMAS: dict[str, dict[str, Any]] = document()["components"]["schemas"]
METHODS = {"get", "post", "put", "patch", "delete"}
# What a field is whose form says it: an instant, an id, an address, yes or no.
_SELF_EVIDENT = {"date", "date-time", "uuid", "uri"}
each_operation = pytest.mark.parametrize(
    ("method", "operation"),
    [pytest.param(row[0], row[2], id=f"{row[0]} {row[1]}") for row in OPERATIONS],
)


def test_it_is_generated_without_a_warning_and_is_the_one_that_is_committed(tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"

    call_command("spectacular", file=str(path), validate=True, fail_on_warn=True)

    assert path.read_text().startswith("openapi: 3.1.0")
    is_current = path.read_text() == COMMITTED.read_text()
    assert is_current, "docs/api/openapi.yaml is not what the code says: run “make openapi”"


def test_it_knows_every_operation() -> None:
    documented = {
        f"{method.upper()} {path.removeprefix('/api/v1/')}" for method, path, _ in OPERATIONS
    }

    assert documented == set(TABLE)


@each_operation
def test_every_operation_says_what_it_does(method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["security"] == [{"bearer": []}]
    assert operation["tags"][0] in {group.name for group in GROUPS}
    for parameter in map(resolved, operation.get("parameters", [])):
        shape = parameter["schema"]
        is_explained = parameter.get("description") or whole.refers(shape) or _is_evident(shape)
        assert is_explained, f"{parameter['name']}: say what it is, or in glossary.toml"


@each_operation
def test_every_operation_says_how_it_may_fail(method: str, operation: dict[str, Any]) -> None:
    usual = {"400", "401", "429", "500", "503"}
    body = {"413", "415"} if "requestBody" in operation or method == "post" else set()
    replayed = {"409", "422"} if method == "post" else set()

    assert usual | body | replayed <= operation["responses"].keys()
    for status, response in operation["responses"].items():
        found = resolved(response)
        assert found["description"]
        assert "X-Request-Id" in found["headers"]
        if int(status) >= 400:
            assert list(found["content"]) == ["application/problem+json"]


def test_failures_say_when_to_come_back_and_how_to_authenticate() -> None:
    responses = document()["components"]["responses"]

    assert "Retry-After" in responses["TooManyRequests"]["headers"]
    assert "Retry-After" in responses["Unavailable"]["headers"]
    assert "WWW-Authenticate" in responses["Unauthorized"]["headers"]


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name[0].islower() for name in names)


def test_every_post_may_carry_a_key() -> None:
    for method, path, operation in OPERATIONS:
        parameters = map(resolved, operation.get("parameters", []))
        headers = [p["name"] for p in parameters if p["in"] == "header"]
        assert ("Idempotency-Key" in headers) == (method == "post"), path


@each_operation
def test_what_is_sent_and_answered_has_examples_that_fit(
    method: str, operation: dict[str, Any]
) -> None:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for body in [*bodies, *map(resolved, operation["responses"].values())]:
        for media_type, media in body.get("content", {}).items():
            if not media_type.endswith("json"):
                continue
            assert media["examples"]
            for example in media["examples"].values():
                assert _faults(media["schema"], resolved(example)["value"]) == []


def test_every_field_has_a_type_and_says_what_it_is() -> None:
    for name, schema in SCHEMAS.items():
        for field, shape in schema.get("properties", {}).items():
            where = f"{name}.{field}"
            assert _is_typed(shape), where
            is_explained = shape.get("description") or whole.refers(shape) or _is_evident(shape)
            assert is_explained, f"{where}: give it a help_text, or a word in glossary.toml"


def test_every_enum_has_a_name_of_its_own() -> None:
    unnamed = [
        where
        for where, part in _parts(document(), "")
        if "enum" in part and not where.startswith("/components/schemas/")
    ]
    nested = [
        where
        for where, part in _parts(document()["components"]["schemas"], "")
        if "enum" in part and where.count("/") > 1
    ]
    clashing = [name for name in SCHEMAS if name.endswith("Enum") and any(map(str.isdigit, name))]

    assert unnamed + nested + clashing == []


def test_the_glossary_names_only_fields_that_there_are() -> None:
    fields = {
        f"{name}.{field}" for name in SCHEMAS for field in SCHEMAS[name].get("properties", {})
    }
    parameters = {resolved(p)["name"] for _, _, o in OPERATIONS for p in o.get("parameters", [])}
    known = fields | {f"parameter.{name}" for name in parameters}
    known |= {f"List.{name}" for name in ("total", "limit", "offset")}

    named = {name for table in whole.GLOSSARY.values() for name in table if "." in name}
    assert named - known == set()


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/api/v1/plans/{plan_id}", "Catalogue"),
        ("/api/v1/customers/{customer_id}", "Customers"),
        ("/api/v1/customers/{customer_id}/entitlements/{feature}", "Entitlements"),
        ("/api/v1/customers/{customer_id}/usage", "Usage"),
        ("/api/v1/plans-of-mine", "Plans of mine"),
        ("/billing/plans/{plan_id}", "Prism"),
    ],
)
def test_operations_are_grouped_by_their_address(path: str, group: str) -> None:
    assert group_of(path, "/api/v1/") == group


def test_a_new_code_breaks_no_client() -> None:
    assert "enum" not in SCHEMAS["ErrorCode"]
    assert "not_found" in SCHEMAS["ErrorCode"]["x-extensible-enum"]


@pytest.mark.django_db
def test_what_is_made_says_where_it_can_be_read(operator: Caller) -> None:
    plan = operator.post("/plans", {"name": "Gold", "currency": "USD", "amount": "1"})
    coupon = operator.post("/coupons", {"code": "SPRING", "percent_off": "10"})
    meter = operator.post("/meters", {"code": "calls"})

    assert plan.headers["Location"] == f"/api/v1/plans/{plan.body['id']}"
    assert coupon.headers["Location"] == "/api/v1/coupons/SPRING"
    assert operator.get(coupon.headers["Location"]).body == coupon.body
    assert "Location" not in meter.headers


@pytest.mark.django_db
def test_addresses_take_the_methods_that_the_document_knows_and_no_others() -> None:
    ids, operator = ids_of(set_stage()), caller()
    for path, operations in document()["paths"].items():
        if not path.startswith(("/api/v1/", "/billing/")):
            continue
        address = path.format_map({name: value or MISSING for name, value in ids.items()})
        for method in sorted({*METHODS, "options", "trace"} - operations.keys()):
            answer = operator.send(method.upper(), address, None)
            assert (answer.status, answer.code) == (405, "method_not_allowed"), (method, path)
            allowed = {each.strip().lower() for each in answer.headers["Allow"].split(",")}
            assert allowed - {"head"} == operations.keys() & METHODS, path


@pytest.mark.django_db
def test_head_answers_like_get_without_a_body(operator: Caller) -> None:
    read, asked = (operator.send(method, "/plans?limit=1", None) for method in ("GET", "HEAD"))

    assert (asked.status, asked.body) == (200, None)
    assert asked.headers["Content-Length"] == read.headers["Content-Length"]


@pytest.mark.django_db
def test_it_is_served_and_browsable() -> None:
    client = Client()

    schema = client.get("/api/schema/", headers={"Accept": "application/json"})
    docs = client.get("/api/docs/")

    assert (schema.status_code, docs.status_code) == (200, 200)
    assert json.loads(schema.content)["info"]["title"] == "Bursar"
    assert b"swagger" in docs.content


def _faults(schema: dict[str, Any], value: Any) -> list[str]:
    whole_schema = {**schema, "components": document()["components"]}
    validator = Draft202012Validator(
        whole_schema, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [fault.message for fault in validator.iter_errors(value)]


def _is_typed(shape: dict[str, Any]) -> bool:
    return any(word in shape for word in ("type", "$ref", "oneOf", "anyOf", "allOf", "const"))


def _is_evident(shape: dict[str, Any]) -> bool:
    return shape.get("format") in _SELF_EVIDENT or shape.get("type") == "boolean"


def _parts(node: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in the document, with where it stands."""
    if isinstance(node, dict):
        yield where, node
        for name, inner in node.items():
            if name != "value":  # of an example
                yield from _parts(inner, f"{where}/{name}")
    elif isinstance(node, list):
        for inner in node:
            yield from _parts(inner, where)
