"""API tokens: made, shown once, found by their hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Final

from billing.models import ApiToken
from billing.models.token import Role
from customers.models import Customer

PREFIX: Final = "bsr_"
_SHOWN: Final = len(PREFIX) + 6


def issue(
    name: str, *, now: datetime, customer: Customer | None = None, is_read_only: bool = False
) -> tuple[ApiToken, str]:
    """Make a token: an operator's, or one customer's. The text comes back this once only."""
    text = f"{PREFIX}{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        name=name,
        prefix=text[:_SHOWN],
        digest=digest(text),
        role=Role.OPERATOR if customer is None else Role.CUSTOMER,
        customer=customer,
        is_read_only=is_read_only,
        created_at=now,
    )
    return token, text


def digest(text: str) -> str:
    """What is kept of a token. Its 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def revoke(token: ApiToken, *, now: datetime) -> None:
    """Refuse the token from now on."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
