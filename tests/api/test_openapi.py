"""The OpenAPI document: generated without a warning, complete, and browsable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.api.calling import document
from tests.api.test_permissions import TABLE

OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method, path, operation)
    for path, operations in document()["paths"].items()
    if path.startswith(("/api/v1/", "/billing/"))
    for method, operation in operations.items()
]


def test_it_is_generated_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", file=str(tmp_path / "schema.yml"), validate=True, fail_on_warn=True)

    assert (tmp_path / "schema.yml").read_text().startswith("openapi: 3.1.0")


def test_it_knows_every_operation() -> None:
    documented = {
        f"{method.upper()} {path.removeprefix('/api/v1/')}" for method, path, _ in OPERATIONS
    }

    assert documented == set(TABLE)


@pytest.mark.parametrize(
    "operation", [pytest.param(row[2], id=f"{row[0]} {row[1]}") for row in OPERATIONS]
)
def test_every_operation_says_what_it_does(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["security"] == [{"bearer": []}]
    problem = operation["responses"]["401"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name[0].islower() for name in names)


def test_what_is_sent_has_an_example() -> None:
    for method, path, operation in OPERATIONS:
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            assert content.get("examples"), f"{method} {path}"


def test_every_post_may_carry_a_key() -> None:
    for method, path, operation in OPERATIONS:
        headers = [p["name"] for p in operation.get("parameters", []) if p["in"] == "header"]
        assert ("Idempotency-Key" in headers) == (method == "post"), path


@pytest.mark.django_db
def test_it_is_served_and_browsable() -> None:
    client = Client()

    schema = client.get("/api/schema/", headers={"Accept": "application/json"})
    docs = client.get("/api/docs/")

    assert (schema.status_code, docs.status_code) == (200, 200)
    assert json.loads(schema.content)["info"]["title"] == "Bursar"
    assert b"swagger" in docs.content
