"""API tokens: made, shown once, found by their hash, replaced and ended."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q

from billing.core.errors import ConflictError, InvalidError
from billing.models import ApiToken
from billing.models.token import Role, TokenStatus
from billing.services import locks
from customers.models import Customer

logger = logging.getLogger(__name__)

PREFIX: Final = "bsr_"
# How long one that was rotated is still taken.
OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=30)
_SHOWN: Final = len(PREFIX) + 6
_FORM: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]+")
_NOTED_EVERY: Final = timedelta(minutes=1)


@transaction.atomic
def issue(
    name: str,
    *,
    now: datetime,
    customer: Customer | None = None,
    is_read_only: bool = False,
    expires_at: datetime | None = None,
    by: str = "",
) -> tuple[ApiToken, str]:
    """Make a token: an operator's, or one customer's. The text comes back this once only.

    :raises InvalidError: with code `expires_in_past`.
    :raises ConflictError: with code `customer_erased`.
    """
    if expires_at is not None and expires_at <= now:
        raise InvalidError(
            "It would be expired already.",
            code="expires_in_past",
            errors={"expires_at": ["An instant to come."]},
        )
    if customer is not None:
        locks.client(customer.pk)
    token = ApiToken(
        name=name,
        role=Role.OPERATOR if customer is None else Role.CUSTOMER,
        customer=customer,
        is_read_only=is_read_only,
        expires_at=expires_at,
        created_by=by,
        created_at=now,
    )
    return token, _give_text(token)


@transaction.atomic
def rotate(
    token_id: UUID,
    *,
    now: datetime,
    overlap: timedelta = OVERLAP,
    by: str = "",
    maker: ApiToken | None = None,
) -> tuple[ApiToken, str]:
    """Make a token that takes another one's place, and end that one after the overlap.

    The new one has its name and scope, and lives as long as that one was given.

    :param maker: the token that asks for it, if one does; one may always rotate itself.
    :raises NotFoundError: if there is none.
    :raises ConflictError: if it has ended (`token_ended`), its successor is still taken
        (`already_rotated`), or the new one would outlive its maker (`outlives_token`).
    """
    token = locks.api_token(token_id)
    if token.status_at(now) != TokenStatus.ACTIVE:
        raise ConflictError("It has ended: make another one.", code="token_ended")
    if token.successors.unrevoked(now).exists():
        raise ConflictError(
            "It was rotated already. Revoke its successor to rotate it again.",
            code="already_rotated",
        )
    life = None if token.expires_at is None else token.expires_at - token.created_at
    expires_at = None if life is None else now + life
    if maker is not None and maker.pk != token.pk:
        expires_at = end_given_by(maker, expires_at)
    successor = ApiToken(
        name=token.name,
        role=token.role,
        customer=token.customer,
        is_read_only=token.is_read_only,
        predecessor=token,
        expires_at=expires_at,
        created_by=by,
        created_at=now,
    )
    _end(token, now + overlap, by=by)
    return successor, _give_text(successor)


@transaction.atomic
def revoke(token: ApiToken, *, now: datetime, by: str = "") -> None:
    """Refuse the token from now on. Again is the same as once."""
    rows = ApiToken.objects.filter(pk=token.pk).unrevoked(now)
    rows.update(revoked_at=now, revoked_by=by)


def end_given_by(maker: ApiToken, wanted: datetime | None) -> datetime | None:
    """When a token ends that another one makes: a customer's makes none that outlives it.

    :param wanted: None for as long as may be.
    :raises ConflictError: with code `outlives_token`.
    """
    latest = maker.ends_at if maker.role == Role.CUSTOMER else None
    if latest is not None and wanted is not None and wanted > latest:
        raise ConflictError(
            "It would outlive the token that makes it.",
            code="outlives_token",
            errors={"expires_at": ["After the end of the token that asks."]},
        )
    return wanted or latest


def authenticate(text: str, *, now: datetime) -> ApiToken | None:
    """The token in force whose text this is, with its customer; that it was used is noted.

    None for every other text: what is wrong with it is nobody's to know.
    """
    if not _FORM.fullmatch(text):
        return None
    given = digest(text)
    rows = ApiToken.objects.in_force(now).filter(prefix=text[:_SHOWN]).select_related("customer")
    found = [token for token in rows if hmac.compare_digest(token.digest, given)]
    if not found:
        return None
    _note_use(found[0], now)
    return found[0]


def digest(text: str) -> str:
    """What is kept of a token. Its 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def _give_text(token: ApiToken) -> str:
    """Store a new token under a text that nobody else will ever see."""
    text = f"{PREFIX}{secrets.token_urlsafe(32)}"
    token.prefix, token.digest = text[:_SHOWN], digest(text)
    token.save(force_insert=True)
    return text


def _end(token: ApiToken, at: datetime, *, by: str) -> None:
    """Let it be refused from then on, unless it is sooner."""
    token.revoked_at = min(at, token.revoked_at or at)
    token.revoked_by = by
    token.save(update_fields=["revoked_at", "revoked_by"])


def _note_use(token: ApiToken, now: datetime) -> None:
    """Once a minute, and never at the price of the request: who holds the row is not waited for."""
    before = now - _NOTED_EVERY
    if token.last_used_at is not None and token.last_used_at > before:
        return
    due = Q(last_used_at=None) | Q(last_used_at__lte=before)
    try:
        with transaction.atomic():
            rows = locks.left_alone(ApiToken.objects.filter(due, pk=token.pk))
            ApiToken.objects.filter(pk__in=rows.values("pk")).update(last_used_at=now)
    except DatabaseError as error:
        logger.warning("That token %s was used is not noted: %s.", token.pk, type(error).__name__)
