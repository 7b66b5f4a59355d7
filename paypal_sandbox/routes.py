"""Which function answers which operation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from paypal_sandbox.call import Call
from stripe_sandbox.bodies import Json
from stripe_sandbox.messages import Answer
from stripe_sandbox.routes import load

__all__ = ["Reply", "Route", "find", "load", "operation", "show", "shown"]

_HOUR = 3600.0
ORDERS_KEPT = 6 * _HOUR
VAULT_KEPT = 3 * _HOUR
PAYMENTS_KEPT = 45 * 24 * _HOUR


@dataclass(frozen=True)
class Reply:
    """What an operation answers; `made` names the resource it made, which is shown."""

    status: int = 200
    body: Json | None = None
    made: tuple[str, str] | None = None


Operation: TypeAlias = Callable[[Call], Reply | Answer]
Show: TypeAlias = Callable[[Call, str], Json]


@dataclass(frozen=True)
class Route:
    """One operation.

    `kept` is how many seconds the answer to a request id is kept, `strict` whether the same id
    with another body is an error, `prefers` whether `Prefer` is heeded, and `is_open` whether
    no access token is asked for.
    """

    method: str
    template: str
    operation: Operation
    kept: float = 0
    strict: bool = False
    prefers: bool = False
    is_open: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What its paths look like."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template))


_ROUTES: list[Route] = []
_SHOWN: dict[str, Show] = {}


def operation(
    method: str,
    template: str,
    *,
    kept: float = 0,
    strict: bool = False,
    prefers: bool = False,
    is_open: bool = False,
) -> Callable[[Operation], Operation]:
    """Let a function answer an operation."""

    def register(function: Operation) -> Operation:
        _ROUTES.append(Route(method, template, function, kept, strict, prefers, is_open))
        return function

    return register


def shown(kind: str) -> Callable[[Show], Show]:
    """Let a function show a kind of resource as it is now."""

    def register(function: Show) -> Show:
        _SHOWN[kind] = function
        return function

    return register


def show(call: Call, made: tuple[str, str]) -> Json:
    """Show a resource as it is now.

    :raises PayPalError: if it is no longer there.
    """
    kind, record_id = made
    return _SHOWN[kind](call, record_id)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return what answers a request, and the values in its path."""
    for route in _ROUTES:
        match = route.pattern.fullmatch(path) if route.method == method else None
        if match:
            return route, match.groupdict()
    return None
