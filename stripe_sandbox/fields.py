"""Parameters that become attributes of the same name, and metadata, which merges."""

from __future__ import annotations

from collections.abc import Collection

from stripe_sandbox.bodies import Json
from stripe_sandbox.errors import MalformedError
from stripe_sandbox.sdk import shapes

_KEYS = 50
_KEY_LENGTH = 40
_VALUE_LENGTH = 500


def carried(kind: str, params: Json, *, drop: Collection[str] = ()) -> Json:
    """Return what a new object takes over from its parameters."""
    known = shapes.attributes(kind)
    taken = {
        name: _cleared(value)
        for name, value in params.items()
        if name in known and name not in drop and name != "metadata"
    }
    return (
        taken | {"metadata": metadata({}, params.get("metadata"))} if "metadata" in known else taken
    )


def merged(before: Json, params: Json, *, drop: Collection[str] = ()) -> Json:
    """Return what an update changes: named values replaced, hashes and metadata merged."""
    changes: Json = {}
    for name, value in params.items():
        if name not in before or name in drop:
            continue
        if name == "metadata":
            changes[name] = metadata(before[name] or {}, value)
        elif isinstance(value, dict) and isinstance(before[name], dict):
            changes[name] = before[name] | _cleared(value)
        else:
            changes[name] = _cleared(value)
    return changes


def metadata(before: Json, given: Json | str | None) -> Json:
    """Merge metadata: an empty value removes its key, an empty whole removes all.

    :raises MalformedError: if it is more than Stripe keeps.
    """
    if given is None:
        return before
    if isinstance(given, str):
        return {}
    for key, value in given.items():
        _require_short(key, value)
    result = {key: value for key, value in {**before, **given}.items() if value != ""}
    if len(result) > _KEYS:
        raise MalformedError(f"Metadata can have up to {_KEYS} keys.", param="metadata")
    return result


def _require_short(key: str, value: str) -> None:
    if len(key) > _KEY_LENGTH:
        raise MalformedError(
            f"Metadata keys can have up to {_KEY_LENGTH} characters, but you passed in a key that "
            f"is {len(key)} characters. Invalid key: {key}",
            param="metadata",
        )
    if len(value) > _VALUE_LENGTH:
        raise MalformedError(
            f"Metadata values can have up to {_VALUE_LENGTH} characters, but you passed in a value "
            f"that is {len(value)} characters. Invalid value: {value}",
            param=f"metadata[{key}]",
        )


def _cleared(value: object) -> object:
    """Turn the empty text that unsets a value into null, at every depth."""
    if value == "":
        return None
    if isinstance(value, dict):
        return {key: _cleared(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleared(item) for item in value]
    return value
