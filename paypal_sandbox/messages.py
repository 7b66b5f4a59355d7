"""What comes in: PayPal's bodies are JSON or multipart, so the bytes are kept as they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl

from stripe_sandbox import messages


@dataclass(frozen=True)
class Request(messages.Request):
    """One request; `form` is its query string, or its body as text if it has one."""

    query_string: str = ""
    body: bytes = b""

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def content_type(self) -> str:
        """What the body says it is, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def request(method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Request:
    """Build a request; `target` is its path and query, and header names may be in any case."""
    path, _, query_string = target.partition("?")
    lower = {name.lower(): value for name, value in headers.items()}
    form = body.decode("utf-8", "replace") if body else query_string
    return Request(method.upper(), path, form, lower, query_string, body)
