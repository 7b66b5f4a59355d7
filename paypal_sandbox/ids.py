"""Ids that look like PayPal's."""

from __future__ import annotations

import secrets
import uuid

_UPPER = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = "0123456789abcdefghijklmnopqrstuvwxyz"
# An account's id has neither 0 nor 1, neither I nor O.
_ACCOUNT = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def transaction() -> str:
    """Return an id for an order, a capture, a refund or a setup token."""
    return _word(_UPPER, 17)


def payment_token() -> str:
    """Return an id for a saved way of paying."""
    return _word(_LOWER, 12)


def customer() -> str:
    """Return an id for a customer, when the caller gives none."""
    return _word(_LOWER, 10)


def account() -> str:
    """Return an id for a payer or a merchant."""
    return _word(_ACCOUNT, 13)


def event() -> str:
    """Return an id for an event."""
    return f"WH-{transaction()}-{transaction()}"


def dispute() -> str:
    """Return an id for a case."""
    return f"PP-R-{_word(_UPPER[10:], 3)}-{_word(_UPPER[:10], 8)}"


def debug() -> str:
    """Return an id by which one answer can be found again."""
    return secrets.token_hex(7)[:13]


def transmission() -> str:
    """Return an id for one attempt to deliver a notification."""
    return str(uuid.uuid4())


def secret() -> str:
    """Return an access token."""
    return f"A21AA{secrets.token_urlsafe(48)}"


def _word(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
