"""Which function answers which operation."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.sdk import operations
from stripe_sandbox.sdk.parameters import Record

Operation: TypeAlias = Callable[[Call], Json]
Inclusion: TypeAlias = Callable[[Call, Json], Json | None]


@dataclass(frozen=True)
class Route:
    """One operation: where it is asked for, and what answers it."""

    method: str
    template: str
    operation: Operation

    @cached_property
    def parameters(self) -> Record:
        """What the SDK says it accepts."""
        return operations.parameters(self.method, self.template)

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The path's parts."""
        return tuple(self.template.split("/"))

    def matched(self, segments: list[str]) -> dict[str, str] | None:
        """Return the values of the path's placeholders, if the path is this one."""
        values: dict[str, str] = {}
        for expected, actual in zip(self.segments, segments, strict=True):
            if expected.startswith("{") and actual:
                values[expected[1:-1]] = actual
            elif expected != actual:
                return None
        return values


_ROUTES: dict[tuple[str, int], list[Route]] = {}
_INCLUSIONS: dict[tuple[str, str], Inclusion] = {}


def operation(method: str, template: str) -> Callable[[Operation], Operation]:
    """Let a function answer an operation, named by method and path as the SDK has them."""

    def register(function: Operation) -> Operation:
        routes = _ROUTES.setdefault((method, template.count("/")), [])
        routes.append(Route(method, template, function))
        # A path spelled out goes before one with a placeholder in the same place.
        routes.sort(key=lambda route: route.template.count("{"))
        return function

    return register


def included(kind: str, attribute: str) -> Callable[[Inclusion], Inclusion]:
    """Let a function fill in an attribute that is null until `expand` asks for it."""

    def register(function: Inclusion) -> Inclusion:
        _INCLUSIONS[kind, attribute] = function
        return function

    return register


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return what answers a request, and the values in its path."""
    segments = path.split("/")
    for route in _ROUTES.get((method, len(segments) - 1), ()):
        values = route.matched(segments)
        if values is not None:
            return route, values
    return None


def inclusion(kind: str, attribute: str) -> Inclusion | None:
    """Return what fills in an attribute on request."""
    return _INCLUSIONS.get((kind, attribute))


def load(package: str) -> None:
    """Import every module of a package, so that its operations are registered."""
    home = importlib.import_module(package)
    for module in pkgutil.iter_modules(home.__path__):
        importlib.import_module(f"{package}.{module.name}")
