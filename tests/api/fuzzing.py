"""Requests that nobody would send, made of the document, and what must hold for each answer.

In-process, within the test's own transaction; each request is undone before the next.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, Final
from zlib import crc32

import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from hypothesis.strategies import SearchStrategy, datetimes, one_of
from schemathesis import APIOperation, Case, GenerationMode, HookContext, Response
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.calling import document

Request = Case[Any]
Operation = APIOperation[Any, Any, Any, Any]

# `make fuzz` asks for more, each time by another seed.
TIMES: Final = int(os.environ.get("FUZZ_TIMES", "1"))


def no_failure_of_ours(ctx: CheckContext, response: Response, case: Request) -> bool | None:
    """No 5xx, but what is right where operators have switched every gateway off."""
    is_told = response.status_code == 503 and response.json()["code"] == "no_gateway"
    return None if is_told else not_a_server_error(ctx, response, case)


CHECKS: Final = [
    no_failure_of_ours,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def thoroughly(examples: int, **options: Any) -> settings:
    """So many requests; the same ones each time, unless `make fuzz` asked."""
    return settings(
        max_examples=examples * TIMES,
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        **options,
    )


@cache
def schema() -> BaseSchema:
    """The document, with the application that it is about."""
    found = schemathesis.openapi.from_dict(document())
    found.app = get_wsgi_application()
    found.config.generation.update(with_security_parameters=False)
    schemathesis.openapi.format("date-time", _INSTANTS)
    found.hook("map_case")(_sensible)
    return found


def operation(path: str, method: str) -> Operation:
    """One operation of the document."""
    return schema()[path][method]


def requests(found: Operation) -> SearchStrategy[Request]:
    """What fits the document, about things that there are; what does not; what names nothing."""
    names = [parameter.name for parameter in found.path_parameters]
    known = {name: _REAL[name] for name in names if _REAL.get(name)} or None
    fitting = found.as_strategy(path_parameters=known)
    strategies = [fitting, fitting] if found.body else [fitting]
    if found.body or found.query or found.headers:
        wrong = GenerationMode.NEGATIVE
        strategies.append(found.as_strategy(generation_mode=wrong, path_parameters=known))
    if known:
        strategies.append(found.as_strategy())
    return one_of(strategies)


def send(case: Request, token: str | None) -> Response:
    """Send it as the one whose token this is, hold the answer against the document, undo it."""
    with undone():
        response = called(case, token)
        validate(case, response)
    return response


def called(case: Request, token: str | None) -> Response:
    """What is answered to the one whose token this is."""
    return case.call(headers={} if token is None else {"Authorization": f"Bearer {token}"})


def validate(case: Request, response: Response) -> None:
    """Hold an answer against the document."""
    case.validate_response(response, checks=CHECKS)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written meanwhile is not there afterwards."""
    before = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(before)


@contextmanager
def one_connection() -> Iterator[None]:
    """Requests stay on the test's connection, as those of Django's own client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


@contextmanager
def about(ids: Mapping[str, str]) -> Iterator[None]:
    """Let requests name what there is: `customer_id` and so on → its id."""
    _REAL.update(ids)
    try:
        yield
    finally:
        _REAL.clear()


def _sensible(context: HookContext, case: Request) -> Request:
    """Most requests that fit the document are its example but for some fields: else few succeed."""
    meta = case.meta
    if meta is None or meta.generation.mode is not GenerationMode.POSITIVE:
        return case
    if _is_chosen(case.path_parameters, 2):
        names = case.path_parameters
        case.path_parameters = {name: _REAL.get(name) or value for name, value in names.items()}
    if isinstance(case.body, dict):
        case.body = _near(_example(case), case.body)
    if case.query:
        case.query = _named(dict(case.query))
    return case


def _example(case: Request) -> dict[str, Any]:
    media = case.operation.definition.raw["requestBody"]["content"]["application/json"]
    found: dict[str, Any] = next(iter(media["examples"].values()))["value"]
    return found


def _near(example: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The example but for a fourth of the fields; in one of three cases all of them are odd."""
    if _is_chosen(body, 3):
        return _named(body)
    odd = {name: body[name] for name in body if _is_chosen([name, body], 4)}
    return _named({**example, **odd})


def _is_chosen(value: Any, of: int) -> bool:
    """Whether it is the one of so many: by the value only, so that it can be repeated."""
    return crc32(json.dumps(value, sort_keys=True, default=str).encode()) % of == 0


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _REAL.get(_NAMED.get(name, "")) or value for name, value in fields.items()}


_REAL: Final[dict[str, str]] = {}
# A field → which of the ids belongs there.
_NAMED: Final = {
    "coupon": "code",
    "customer": "customer_id",
    "invoice": "invoice_id",
    "invoice_id": "invoice_id",
    "meter": "feature",
    "payment": "payment_id",
    "payment_method": "method_id",
    "plan_id": "plan_id",
    "subscription": "subscription_id",
}
_INSTANTS: Final = datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001  # Z
    lambda moment: f"{moment.isoformat()}Z"
)
