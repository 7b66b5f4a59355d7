"""One request being answered: what it asks, and what answering it may do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from paypal_sandbox import errors
from paypal_sandbox.messages import Request
from paypal_sandbox.state import State
from stripe_sandbox.bodies import Json


@dataclass(frozen=True)
class Call:
    """What an operation works with."""

    state: State
    request: Request
    args: dict[str, str] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """What links start with."""
        return self.state.base_url

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return self.request.query

    @cached_property
    def params(self) -> Json:
        """The body, which must be a JSON object; none at all is an empty one.

        :raises PayPalError: if it is something else.
        """
        if not self.request.body.strip():
            return {}
        if self.request.content_type != "application/json":
            raise errors.PayPalError(415, "UNSUPPORTED_MEDIA_TYPE")
        try:
            found = json.loads(self.request.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise errors.invalid(
                "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.", "/"
            )
        return found

    def now(self) -> float:
        """Return the time."""
        return self.state.clock()

    def number(self, name: str, default: int, *, most: int) -> int:
        """Return a whole, positive number of the query.

        :raises PayPalError: if it is none, or too large.
        """
        text = self.query.get(name, str(default))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise errors.invalid(
                "INVALID_PARAMETER_VALUE", "A parameter value is not valid.", name,
                location="query",
            )  # fmt: skip
        return int(text)


def dig(body: object, *path: str) -> Any:
    """Return what stands deep in a body, or None."""
    for name in path:
        if not isinstance(body, dict):
            return None
        body = body.get(name)
    return body


def text(body: Json, name: str, pointer: str, longest: int) -> str | None:
    """Return an optional text of a body.

    :raises PayPalError: if it is no text, empty, or too long.
    """
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise errors.invalid(
            "INVALID_STRING_LENGTH",
            "The value of a field is either too short or too long",
            f"{pointer}/{name}",
        )
    return value
