"""The SDK's object types → complete objects: every attribute there, null or empty by default."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import stripe
from stripe._object_classes import OBJECT_CLASSES

from stripe_sandbox.bodies import Json

# `deleted` is there only once an object is gone; its presence alone tells clients so.
_ABSENT = frozenset({"deleted"})
_ZEROES: dict[object, object] = {int: 0, float: 0.0, bool: False, str: "", Decimal: "0"}


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
        # Constants of the class are in capitals.
        if name.startswith("_") or name.isupper() or name in _ABSENT:
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
    if nested is not None and get_origin(hint) is not list:
        return lambda: shape(nested).complete({})
    return _plain(hint, get_origin(hint))


def _plain(hint: object, origin: Any) -> object:
    if origin is Union or origin is Literal:
        return _first_word(hint)
    if origin is list:
        return list
    if origin is stripe.ListObject:
        return _empty_list
    return _ZEROES.get(hint, dict if origin else None)


def _first_word(hint: object) -> object:
    """Return the first word of a closed list, or of the closed part of an open one."""
    members = (hint, *get_args(hint))
    words = [get_args(member)[0] for member in members if get_origin(member) is Literal]
    return words[0] if words else ""


def _empty_list() -> Json:
    return {"object": "list", "data": [], "has_more": False, "url": ""}


def _completed(source: type, item: object) -> object:
    return shape(source).complete(item) if isinstance(item, dict) else item


@cache
def _class_of(kind: str) -> type:
    module, name = OBJECT_CLASSES[kind]
    found: type = getattr(importlib.import_module(module), name)
    return found
