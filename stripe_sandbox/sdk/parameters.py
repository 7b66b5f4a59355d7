"""The SDK's parameter types → specifications that read and check a request."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from stripe import RequestOptions
from typing_extensions import is_typeddict

from stripe_sandbox import errors
from stripe_sandbox.sdk.specs import (
    Anything,
    Array,
    Choice,
    Clearable,
    Either,
    Flag,
    FormValue,
    Integer,
    Mapping,
    Number,
    Spec,
    Text,
)

_SCALARS: dict[object, Spec] = {
    str: Text(),
    int: Integer(),
    bool: Flag(),
    float: Number(),
    Decimal: Number(as_text=True),
}
_OPTIONS = frozenset(RequestOptions.__annotations__)


@dataclass(frozen=True)
class Record:
    """A hash with known keys, from one of the SDK's typed dictionaries.

    Its fields are worked out when a request first reaches into it: the largest operations have
    hundreds of nested hashes, of which a request uses a handful.
    """

    source: type

    @cached_property
    def required(self) -> frozenset[str]:
        """The keys that must be there."""
        keys: frozenset[str] = getattr(self.source, "__required_keys__", frozenset())
        return keys - _OPTIONS

    @cached_property
    def fields(self) -> dict[str, Spec]:
        """Every key and what it takes."""
        raw = {
            name: hint for name, hint in self.source.__annotations__.items() if name not in _OPTIONS
        }
        holder = type(self.source.__name__, (), {"__annotations__": raw})
        scope = vars(sys.modules[self.source.__module__])
        return {name: compiled(hint) for name, hint in get_type_hints(holder, scope).items()}

    def read(self, value: FormValue, param: str) -> dict[str, Any]:
        """Refuse unknown keys, then bad values, then missing ones."""
        if not isinstance(value, dict):
            raise errors.invalid("object", value, param)
        strangers = [named(param, key) for key in value if key not in self.fields]
        if strangers:
            raise errors.unknown(strangers)
        result = {
            key: self.fields[key].read(item, named(param, key)) for key, item in value.items()
        }
        for key in self.required:
            if key not in result:
                raise errors.missing(named(param, key))
        return result


def named(parent: str, key: str) -> str:
    """Write a nested parameter's name as the form has it."""
    return f"{parent}[{key}]" if parent else key


@cache
def record(source: type) -> Record:
    """Return the one specification of a typed dictionary."""
    return Record(source)


def compiled(hint: object) -> Spec:
    """Return the specification of one annotation."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and is_typeddict(hint):
        return record(hint)
    return _generic(get_origin(hint), get_args(hint))


def _generic(origin: object, arguments: tuple[object, ...]) -> Spec:
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is Literal:
        return Choice(tuple(str(word) for word in arguments))
    if origin is list:
        return Array(compiled(arguments[0]))
    return Mapping(compiled(arguments[-1])) if _maps(origin) else Anything()


def _maps(origin: object) -> bool:
    """Say whether a generic is a hash: a plain one, or the SDK's untyped object."""
    return isinstance(origin, type) and (
        issubclass(origin, MappingABC) or origin.__name__ == "UntypedStripeObject"
    )


def _union(members: tuple[object, ...]) -> Spec:
    """Read `Literal[…] | str` as a closed list (the SDK leaves it open for newer words)."""
    words = [
        word for member in members if get_origin(member) is Literal for word in get_args(member)
    ]
    kinds = [member for member in members if get_origin(member) is not Literal]
    options = [compiled(kind) for kind in kinds if not (kind is str and any(words))]
    if any(words):
        options.insert(0, Choice(tuple(str(word) for word in words if word)))
    distinct = tuple(dict.fromkeys(options))
    spec = distinct[0] if len(distinct) == 1 else Either(distinct)
    return Clearable(spec) if "" in words else spec
