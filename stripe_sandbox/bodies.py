"""The JSON that goes over the wire: reading, writing and comparing it."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

# Stripe's objects are open-ended JSON whose shape is known only to the SDK at run time.
Json: TypeAlias = dict[str, Any]

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def dumps(value: object) -> str:
    """Write compact JSON, as it is stored."""
    return _ENCODER.encode(value)


def pretty(value: object) -> bytes:
    """Write JSON the way Stripe answers it: indented by two."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


def loads(text: str | bytes) -> Any:
    """Read JSON."""
    return json.loads(text)


def previous_attributes(before: Json, after: Json) -> Json:
    """Return what `before` said of everything that changed, nested only as deep as it changed."""
    return {
        key: _previous(before.get(key), after.get(key))
        for key in after.keys() | before.keys()
        if before.get(key) != after.get(key)
    }


def _previous(before: object, after: object) -> object:
    if isinstance(before, dict) and isinstance(after, dict):
        return previous_attributes(before, after)
    return before
