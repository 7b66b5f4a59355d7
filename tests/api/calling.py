"""Calls to the API by the cast, each answer held against the OpenAPI document."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships none

from billing import clock
from billing.services import tokens
from customers.models import Customer

BASE = "/api/v1"
OTHERS = ("/api/", "/billing/")  # whole addresses begin like this
# What addresses answer to methods that they do not take, and so stands in no operation.
ANYWHERE = {405}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """A problem's code."""
        return str(self.body["code"])


class Caller:
    """Somebody with a token, or with none."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self._client = Client(raise_request_exception=False)

    def get(self, path: str, **headers: str) -> Answer:
        """GET under the API's base."""
        return self.send("GET", path, None, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """POST JSON; `idempotency_key="…"` becomes a header, as any keyword does."""
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        """PATCH JSON."""
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        """DELETE."""
        return self.send("DELETE", path, None, **headers)

    def send(self, method: str, path: str, body: Any, **headers: str) -> Answer:
        """Send anything; text goes out as it is."""
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        response = self._client.generic(
            method,
            address(path),
            "" if body is None else text,
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in self._with(headers).items()},
        )
        answer = Answer(
            response.status_code,
            _body(response.getvalue(), response.headers.get("Content-Type", "")),
            dict(response.headers.items()),
        )
        assert_documented(method, path, answer)
        return answer

    def _with(self, headers: dict[str, str]) -> dict[str, str]:
        return (
            headers if self.token is None else {"Authorization": f"Bearer {self.token}"} | headers
        )


def address(path: str) -> str:
    """The whole of an address; one under the API's base needs not say so."""
    return path if path.startswith(OTHERS) else BASE + path


def _body(content: bytes, media_type: str) -> Any:
    """JSON as a value, other text as it is, the rest as bytes."""
    if media_type.startswith(("text/", "application/jsonl")):
        return content.decode()
    if media_type.startswith(("application/zip", "application/pdf", "application/xml")):
        return content
    return json.loads(content) if content else None


def caller(customer: Customer | None = None, *, is_read_only: bool = False) -> Caller:
    """An operator, or that customer."""
    _, text = tokens.issue("test", now=clock.now(), customer=customer, is_read_only=is_read_only)
    return Caller(text)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    spec: dict[str, Any] = generator.get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return spec


def assert_documented(method: str, path: str, answer: Answer) -> None:
    """That the document knows this answer: its status, and every field of its body."""
    operation = _operation(method, path.partition("?")[0])
    if operation is None or answer.status in ANYWHERE:
        return
    documented = resolved(operation["responses"].get(str(answer.status)))
    assert documented is not None, f"{method} {path} answers {answer.status}: {answer.body}"
    assert_headers(documented, answer)
    content = documented.get("content", {})
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if answer.body is None:
        assert not content
        return
    assert media_type in content, media_type
    if isinstance(answer.body, bytes):
        return
    schema = {**content[media_type]["schema"], "components": _closed_components()}
    problems = [
        f"{'/'.join(map(str, fault.path))}: {fault.message}"
        for fault in Draft202012Validator(schema).iter_errors(answer.body)
    ]
    assert not problems, problems


def resolved(part: Any) -> Any:
    """What a reference of the document leads to; anything else as it is."""
    if not isinstance(part, dict) or "$ref" not in part:
        return part
    found: Any = document()
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def assert_headers(documented: dict[str, Any], answer: Answer) -> None:
    """That every header is there which the document says always is, and none it does not know."""
    headers = {name: resolved(each) for name, each in documented.get("headers", {}).items()}
    required = {name for name, header in headers.items() if header.get("required")}
    assert required <= answer.headers.keys(), required - answer.headers.keys()
    unknown = answer.headers.keys() & document()["components"]["headers"].keys() - headers.keys()
    assert not unknown, unknown


def _operation(method: str, path: str) -> dict[str, Any] | None:
    whole = address(path)
    for template, operations in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), whole):
            found: dict[str, Any] | None = operations.get(method.lower())
            return found
    return None


@cache
def _closed_components() -> dict[str, Any]:
    """The components, in which an object has the fields that are named and no others."""
    components: dict[str, Any] = deepcopy(document()["components"])
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return components
