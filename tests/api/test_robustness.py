"""Whatever is sent, the answer is an answer: no field of any body brings the server down."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from tests.api.addresses import ids_of
from tests.api.calling import address, caller, document, resolved
from tests.api.rights import TABLE
from tests.api.stage import Stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stage")]

PLAN: Final = {"name": "x", "currency": "USD", "amount": "1"}
STRANGE: Final[list[Any]] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    1e300,
    "",
    " ",
    "x" * 70_000,
    "\u202e🎩",
    "0198d5a2-0000-7000-8000-000000000001",
    "2026-02-30T00:00:00Z",
    "2026-04-01T09:00:00+14:00",
    "NaN",
    "1e999",
    "999999999999999.999999999999",
    [],
    [[]],
    [None],
    [{}],
    {},
    {"a": {"b": [1e300]}},
]
SHARE = 5  # each field gets every fifth of them; schemathesis sends the rest (test_fuzz)
WRITES = [
    name
    for name, row in TABLE.items()
    # These have no body.
    if name.startswith(("POST", "PATCH", "PUT"))
    and not name.endswith(("/erase", "/retry", "/finalize", "/withdraw", "/ask", "/test"))
    and not name.endswith("{delivery_id}/resend")
]
READS = [name for name in TABLE if name.startswith("GET")]


@pytest.mark.parametrize("operation", WRITES)
def test_no_field_brings_it_down(operation: str, stage: Stage) -> None:
    operator, (method, path) = caller(), _address(operation, stage)
    sound = TABLE[operation].body(stage)
    for place, field in enumerate(sorted(_fields(operation) | sound.keys())):
        for value in STRANGE[place % SHARE :: SHARE]:
            answer = operator.send(method, path, {**sound, field: value})
            assert answer.status < 500, (field, value, answer.body)


@pytest.mark.parametrize("operation", READS)
def test_no_parameter_brings_it_down(operation: str, stage: Stage) -> None:
    operator, (method, path) = caller(), _address(operation, stage)
    for place, name in enumerate(_parameters(operation)):
        for value in STRANGE[place % SHARE :: SHARE]:
            text = value if isinstance(value, str) else json.dumps(value)
            answer = operator.send(method, f"{path}?{urlencode({name: text[:2000]})}", None)
            assert answer.status < 500, (name, value, answer.body)


@pytest.mark.parametrize("text", ["\x00", "%00", "a%00b", "%ED%A0%80"])
def test_addresses_and_parameters_that_cannot_be_stored(text: str, stage: Stage) -> None:
    operator = caller()

    assert operator.get(f"/customers?organization_id={text}").status < 500
    assert operator.get(f"/customers/{stage.alice.pk}/entitlements/{text}").status < 500
    assert operator.get(f"/billing/organization/{text}").status < 500


@pytest.mark.parametrize("month", ["0000-01", "1969-12", "2200-01", "9999-12", "2026-13"])
@pytest.mark.parametrize(
    "query",
    ["exports/totals?month=", "reports/deferred-revenue?from=", "reports/mrr?to="],
)
def test_months_that_no_calendar_has(query: str, month: str) -> None:
    answer = caller().get(f"/{query}{month}")

    assert (answer.status, answer.code) == (400, "invalid_request")


def test_json_that_is_too_deep_to_work_with() -> None:
    operator = caller()
    for depth in (100, 500, 900, 990):
        nested = "[" * depth + "]" * depth
        body = json.dumps({**PLAN, "metadata": {"a": 0}}).replace("0}", f"{nested}}}")
        assert operator.post("/plans", body, idempotency_key=f"k{depth}").status in {201, 400}


def _address(operation: str, stage: Stage) -> tuple[str, str]:
    method, _, template = operation.partition(" ")
    path = template.format(**ids_of(stage, template))
    return method, path if path.startswith("/") else f"/{path}"


def _documented(operation: str) -> dict[str, Any]:
    method, _, template = operation.partition(" ")
    path = template if template.startswith("/") else f"/{template}"
    found: dict[str, Any] = document()["paths"][address(path)][method.lower()]
    return found


def _fields(operation: str) -> set[str]:
    """The top-level fields of the body, as the document has them."""
    schema = _documented(operation)["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    return set(document()["components"]["schemas"][name].get("properties", {}))


def _parameters(operation: str) -> list[str]:
    parameters = map(resolved, _documented(operation).get("parameters", []))
    return [p["name"] for p in parameters if p["in"] == "query"]
