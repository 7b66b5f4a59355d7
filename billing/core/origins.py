"""Origins that browsers may be sent back to, and addresses held against them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_PORTS: Final = {"http": 80, "https": 443}
# Stricter than any browser: whatever one of them might read another way is no address at all.
# There is no `@` in the authority, so nobody can hide behind a name before it; no backslash, which
# browsers take for a slash; nothing that is not printed, which they drop.
_ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?"
    r"(?:[/?#][\x21-\x5b\x5d-\x7e]*)?",
    re.IGNORECASE,
)
_PATTERN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<below>\*\.)?(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>\d{1,5}|\*))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port, as RFC 6454 compares them."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class OriginPattern:
    """Origins that are allowed: one, those of all names below a host, or those of all ports.

    :param has_names_below: whether it stands for every name below `host`, and not for itself.
    :param port: None for any.
    """

    scheme: str
    host: str
    port: int | None
    has_names_below: bool

    def fits(self, origin: Origin) -> bool:
        """Whether an origin is one of these."""
        if origin.scheme != self.scheme or self.port not in {None, origin.port}:
            return False
        if self.has_names_below:
            return origin.host.endswith(f".{self.host}")
        return origin.host == self.host


def pattern(text: str) -> OriginPattern:
    """Read `https://app.example.com`, `https://*.example.com` or `http://localhost:*`.

    :raises ValueError: if it is nothing of the kind; a path or a final slash is too much.
    """
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no origin like https://app.example.com")
    scheme, port = found["scheme"].lower(), found["port"]
    number = None if port == "*" else int(port or _PORTS[scheme])
    return OriginPattern(scheme, found["host"].lower(), number, found["below"] is not None)


def origin(url: str) -> Origin | None:
    """Where an address leads; None for what is not an absolute http or https address."""
    found = _ADDRESS.fullmatch(url)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    return Origin(scheme, found["host"].lower(), int(found["port"] or _PORTS[scheme]))


def allows(patterns: Iterable[OriginPattern], url: str) -> bool:
    """Whether an address leads to one of the origins."""
    where = origin(url)
    return where is not None and any(each.fits(where) for each in patterns)
