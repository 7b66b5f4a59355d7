"""`a[b][0][c]=d` → nested hashes and lists, the way Stripe reads forms."""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.parse import parse_qsl

from stripe_sandbox.errors import MalformedError
from stripe_sandbox.sdk.specs import FormValue

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_TOO_MANY = 2_000
_TOO_DEEP = 12


def pairs(form: str) -> list[tuple[str, str]]:
    """Split a form or query string.

    :raises MalformedError: if it cannot be one.
    """
    try:
        return parse_qsl(form, keep_blank_values=True, max_num_fields=_TOO_MANY)
    except ValueError as reason:
        raise MalformedError(f"Invalid request: {reason}") from reason


def decode(form: str) -> dict[str, FormValue]:
    """Read a form or query string.

    :raises MalformedError: if a name cannot be read, or is used as two different things.
    """
    result: dict[str, FormValue] = {}
    for name, value in pairs(form):
        match = _KEY.fullmatch(name)
        if not match:
            raise MalformedError(f"Invalid parameter name: {name}", param=name)
        path = [match[1], *_PART.findall(match[2])]
        if len(path) > _TOO_DEEP:
            raise MalformedError(f"Invalid parameter name: {name}", param=name)
        _put(result, path, value, name)
    return result


def _put(into: dict[str, FormValue], path: list[str], value: str, name: str) -> None:
    here: dict[str, FormValue] | list[FormValue] = into
    for key, after in pairwise(path):
        here = _step(here, key, [] if after == "" else {}, name)
    if isinstance(here, list):
        here.append(value)
    else:
        here[path[-1]] = value


def _step(
    here: dict[str, FormValue] | list[FormValue], key: str, fresh: FormValue, name: str
) -> dict[str, FormValue] | list[FormValue]:
    """Go one level down, opening it if it is new."""
    inner = _in_list(here, fresh) if isinstance(here, list) else here.setdefault(key, fresh)
    if isinstance(inner, str) or type(inner) is not type(fresh):
        raise MalformedError(f"Invalid parameter name: {name}", param=name)
    return inner


def _in_list(here: list[FormValue], fresh: FormValue) -> FormValue:
    """`a[][b]=1&a[][c]=2` is one hash with two keys; a repeated key opens the next."""
    if not here or not isinstance(here[-1], dict) or not isinstance(fresh, dict):
        here.append(fresh)
    return here[-1]
