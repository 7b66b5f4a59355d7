"""Entitlement checks: one by one and many at once, against a bare view that reads one row.

All go through the whole of Django, its middleware included, but through no socket.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from bench import people
from bench.measure import Result, rate
from billing.services import tokens
from customers.models import Customer, TestClock

AT_ONCE = 100
_LIMIT = "a bare view that reads one row"


def measure(count: int) -> Iterator[Result]:
    """Of a thousand customers, in turn."""
    everybody = people.subscribe(people.catalogue(5), 1000)
    april = TestClock.objects.create(now=people.APRIL)
    Customer.objects.update(test_clock=april)
    _, token = tokens.issue("bench", now=people.APRIL)
    times = min(count, 5000)
    with override_settings(ROOT_URLCONF="bench.bare"):
        limit = rate(times, partial(_ask, "/bare/", everybody, times, token))
    one = rate(times, partial(_ask, "/api/v1/customers/", everybody, times, token))
    yield Result("entitlement check", "checks", one, _LIMIT, limit)
    many = rate(times, partial(_ask_many, everybody, times, token))
    yield Result(f"entitlement checks, {AT_ONCE} at once", "checks", many, _LIMIT, limit)


def _ask(base: str, everybody: Sequence[Customer], times: int, token: str) -> None:
    handler = WSGIHandler()
    for number in range(times):
        customer = everybody[number * 7919 % len(everybody)]
        _call(handler, "GET", f"{base}{customer.pk}/entitlements/meter_1", token=token)


def _ask_many(everybody: Sequence[Customer], times: int, token: str) -> None:
    handler = WSGIHandler()
    for start in range(0, times, AT_ONCE):
        chosen = [everybody[n * 7919 % len(everybody)] for n in range(start, start + AT_ONCE)]
        checks = [{"customer": str(customer.pk), "feature": "meter_1"} for customer in chosen]
        body = json.dumps({"checks": checks}).encode()
        _call(handler, "POST", "/api/v1/entitlement-checks", token=token, body=body)


def _call(handler: WSGIHandler, method: str, path: str, *, token: str, body: bytes = b"") -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
    }
    response = handler(environ, _start)
    content = b"".join(response)
    response.close()
    if response.status_code != 200:
        raise RuntimeError(f"{method} {path} was answered {content!r}.")


def _start(*_: Any) -> Any:
    """As a server's would, but nobody is to be answered."""
