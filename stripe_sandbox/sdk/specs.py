"""The kinds of value a parameter can take: each reads one decoded form value or refuses it."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from stripe_sandbox import errors

# What a decoded form holds: text, or lists and hashes of the same.
FormValue: TypeAlias = "str | list[FormValue] | dict[str, FormValue]"

_INTEGER = re.compile(r"-?\d{1,18}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class Spec(Protocol):
    """One kind of value."""

    def read(self, value: FormValue, param: str) -> Any:
        """Return the JSON value, or raise `MalformedError` naming `param`."""


@dataclass(frozen=True)
class Text:
    """Any text but the empty one."""

    def read(self, value: FormValue, param: str) -> str:
        """Refuse hashes, lists and emptiness."""
        if not isinstance(value, str):
            raise errors.invalid("string", value, param)
        if not value:
            raise errors.empty(param)
        return value


@dataclass(frozen=True)
class Integer:
    """A whole number."""

    def read(self, value: FormValue, param: str) -> int:
        """Refuse everything that is not written as one."""
        if not isinstance(value, str) or not _INTEGER.fullmatch(value):
            raise errors.invalid("integer", value, param)
        return int(value)


@dataclass(frozen=True)
class Number:
    """A decimal number, kept as it was written where Stripe answers it as text."""

    as_text: bool = False

    def read(self, value: FormValue, param: str) -> float | str:
        """Refuse everything that is not written as one."""
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            raise errors.invalid("decimal" if self.as_text else "number", value, param)
        return value if self.as_text else float(value)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def read(self, value: FormValue, param: str) -> bool:
        """Refuse any other word."""
        if value not in ("true", "false"):
            raise errors.invalid("boolean", value, param)
        return value == "true"


@dataclass(frozen=True)
class Choice:
    """One of a list of words."""

    words: tuple[str, ...]

    def read(self, value: FormValue, param: str) -> str:
        """Refuse words that are not on the list."""
        if not isinstance(value, str) or value not in self.words:
            raise errors.not_a_choice(param, self.words)
        return value


@dataclass(frozen=True)
class Anything:
    """What the SDK leaves open."""

    def read(self, value: FormValue, param: str) -> FormValue:
        """Accept it."""
        return value


@dataclass(frozen=True)
class Clearable:
    """A value that may also be unset by sending nothing for it."""

    inner: Spec

    def read(self, value: FormValue, param: str) -> Any:
        """Let the empty string through, as itself."""
        return "" if value == "" else self.inner.read(value, param)


@dataclass(frozen=True)
class Array:
    """A list, sent as `a[]` or with ascending numbers as `a[0]`."""

    item: Spec

    def read(self, value: FormValue, param: str) -> list[Any]:
        """Refuse single values and hashes."""
        items = _in_order(value)
        if items is None:
            raise errors.invalid("array", value, param)
        return [self.item.read(item, f"{param}[{at}]") for at, item in enumerate(items)]


@dataclass(frozen=True)
class Mapping:
    """A hash with keys of the caller's choosing; an empty value asks to remove its key."""

    value: Spec

    def read(self, value: FormValue, param: str) -> Any:
        """Refuse what is not a hash."""
        if value == "":
            return ""
        if not isinstance(value, dict):
            raise errors.invalid("object", value, param)
        return {
            key: "" if item == "" else self.value.read(item, f"{param}[{key}]")
            for key, item in value.items()
        }


@dataclass(frozen=True)
class Either:
    """One of several kinds, told apart by the form they come in."""

    options: tuple[Spec, ...]

    def read(self, value: FormValue, param: str) -> Any:
        """Return the first reading that succeeds, or raise the first refusal."""
        refusals: list[errors.MalformedError] = []
        for option in self.options:
            try:
                return option.read(value, param)
            except errors.MalformedError as refusal:
                refusals.append(refusal)
        # One that got as far as looking inside says more than one that wanted something else.
        raise next((refusal for refusal in refusals if refusal.param != param), refusals[0])


def _in_order(value: FormValue) -> list[FormValue] | None:
    if isinstance(value, list):
        return value
    if isinstance(value, MappingABC) and all(key.isdigit() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return None
