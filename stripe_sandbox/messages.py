"""What comes in and what goes out, whoever carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from stripe_sandbox.bodies import pretty


@dataclass(frozen=True)
class Request:
    """One request; header names are lower case, the form is still encoded."""

    method: str
    path: str
    form: str
    headers: Mapping[str, str]

    @property
    def host(self) -> str:
        """The host it was sent to, with its port."""
        return self.headers.get("host", "127.0.0.1")

    @property
    def is_foreign(self) -> bool:
        """Say whether a browser sent it from another site's page."""
        origin = self.headers.get("origin")
        if origin in (None, "null"):
            return self.headers.get("sec-fetch-site") == "cross-site"
        return urlsplit(origin).netloc != self.host


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class ConnectionCutError(Exception):
    """The caller is to get no answer: a fault asked for."""


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with JSON."""
    return Answer(status, pretty(value), {"Content-Type": "application/json", **(headers or {})})
