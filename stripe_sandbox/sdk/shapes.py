"""The SDK's object types → complete objects: every attribute there, null or empty by default."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

import stripe
from stripe._object_classes import OBJECT_CLASSES

from stripe_sandbox.bodies import Json

# `deleted` is there only once an object is gone; its presence alone tells clients so.
_ABSENT = frozenset({"deleted"})


@dataclass
class Shape:
    """What one kind of object, or one hash inside it, is made of."""

    constants: Json = field(default_factory=dict)
    makers: dict[str, Callable[[], Any]] = field(default_factory=dict)
    inner: dict[str, type] = field(default_factory=dict)

    def complete(self, value: Json) -> Json:
        """Return `value` with everything it does not say filled in, at every depth."""
        result = {**self.constants, **value}
        for name, make in self.makers.items():
            if name not in value:
                result[name] = make()
        for name, source in self.inner.items():
            given = result[name]
            if isinstance(given, dict) and "object" not in given:
                result[name] = shape(source).complete(given)
            elif isinstance(given, list):
                result[name] = [_completed(source, item) for item in given]
        return result


def complete(kind: str, value: Json) -> Json:
    """Return a whole object of a kind (`customer`, `checkout.session`, …) around these values."""
    return {"id": None, "object": kind} | shape(_class_of(kind)).complete(value | {"object": kind})


def attributes(kind: str) -> frozenset[str]:
    """Name everything an object of this kind has."""
    known = shape(_class_of(kind))
    return frozenset(known.constants) | frozenset(known.makers)


@cache
def shape(source: type) -> Shape:
    """Return the shape of one of the SDK's classes."""
    result = Shape()
    nested: dict[str, type] = getattr(source, "_inner_class_types", {})
    for name, hint in inspect.get_annotations(source).items():
        if name.startswith("_") or name in _ABSENT or get_origin(hint) is ClassVar:
            continue
        if name in nested:
            result.inner[name] = nested[name]
        _put_default(result, name, hint, nested.get(name))
    return result


def _put_default(result: Shape, name: str, hint: object, nested: type | None) -> None:
    default = _default(name, hint, nested)
    if callable(default):
        result.makers[name] = default
    else:
        result.constants[name] = default


def _default(name: str, hint: object, nested: type | None) -> object:
    """Return a constant, or something that makes a fresh value each time."""
    if name == "metadata":
        return dict
    if type(None) in get_args(hint):
        return None
    origin = get_origin(hint)
    if origin is list:
        return list
    if origin is Literal:
        return get_args(hint)[0]
    if origin is Union:
        return _first_word(hint)
    if nested is not None:
        return lambda: shape(nested).complete({})
    return _plain(hint, origin)


def _plain(hint: object, origin: object) -> object:
    if hint in (int, float, bool, str):
        return hint() if callable(hint) else None
    if hint is Decimal:
        return "0"
    if origin is stripe.ListObject:
        return _empty_list
    return dict if isinstance(origin, type) else None


def _first_word(hint: object) -> object:
    for member in get_args(hint):
        if get_origin(member) is Literal:
            return get_args(member)[0]
    return ""


def _empty_list() -> Json:
    return {"object": "list", "data": [], "has_more": False, "url": ""}


def _completed(source: type, item: object) -> object:
    return shape(source).complete(item) if isinstance(item, dict) else item


@cache
def _class_of(kind: str) -> type:
    module, name = OBJECT_CLASSES[kind]
    found: type = getattr(importlib.import_module(module), name)
    return found
