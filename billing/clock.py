"""The only reader of the system clock. Entry points read it once and pass the instant on."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
