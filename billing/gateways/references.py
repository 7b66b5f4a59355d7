"""What a reference of ours tells by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID


def made_at(reference: str) -> datetime | None:
    """When it was made, if it is a version 7 UUID; nothing of it was asked of a gateway before."""
    try:
        made = UUID(reference)
    except ValueError:
        return None
    if made.version != 7:
        return None
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
