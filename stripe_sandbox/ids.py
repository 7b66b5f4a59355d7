"""Ids and secrets that look like Stripe's."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HEAD = "1Sbx"


def new(prefix: str, length: int = 24) -> str:
    """Return a fresh id such as `pi_1Sbx…`."""
    return f"{prefix}_{_HEAD}{word(length - len(_HEAD))}"


def short(prefix: str) -> str:
    """Return a fresh id of the shorter, older kind, such as `cus_…` and `prod_…`."""
    return f"{prefix}_{word(14)}"


def client_secret(object_id: str) -> str:
    """Return a secret that lets a browser act on one intent."""
    return f"{object_id}_secret_{word(25)}"


def word(length: int) -> str:
    """Return random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
