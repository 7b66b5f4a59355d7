"""Instants as PayPal writes and reads them."""

from __future__ import annotations

from datetime import UTC, datetime

from paypal_sandbox import errors


def written(at: float) -> str:
    """Write an instant to the second, in UTC."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fine(at: float) -> str:
    """Write an instant to the millisecond, in UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def read(text: str, field: str) -> float:
    """Read an instant of a query.

    :raises PayPalError: if it is none, or does not say where on earth.
    """
    # A plus that was not encoded arrives as a space.
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise errors.invalid(
            "INVALID_PARAMETER_SYNTAX",
            "The value of a field does not conform to the expected format.",
            field,
            location="query",
        )
    return moment.timestamp()
