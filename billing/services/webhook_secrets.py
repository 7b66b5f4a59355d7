"""The secrets that notifications are signed with: kept encrypted, under keys of `SECRET_KEY`."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from standardwebhooks import Webhook

from billing.models import WebhookEndpoint

PREFIX: Final = "whsec_"
_BYTES: Final = 32
_PURPOSE: Final = b"bursar: secrets of webhook endpoints"


class SecretLostError(Exception):
    """It was encrypted under a key that is neither `SECRET_KEY` nor a fallback any more."""


def new() -> str:
    """A secret as the Standard Webhooks libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def sealed(secret: str) -> str:
    """As it is stored."""
    return _keys().encrypt(secret.encode()).decode()


def resealed(stored: str) -> str:
    """The same under today's key; unchanged where it is already, or cannot be read."""
    first, *_ = _all_keys()
    try:
        Fernet(_derived(first)).decrypt(stored)
    except InvalidToken:
        try:
            return _keys().rotate(stored).decode()
        except InvalidToken:
            return stored
    return stored


def signatures(endpoint: WebhookEndpoint, *, event_id: str, body: str, now: datetime) -> str:
    """What `webhook-signature` says: one by each secret that is valid now.

    :raises SecretLostError: if none can be read.
    """
    stored = [endpoint.secret]
    if endpoint.former_secret_until is not None and endpoint.former_secret_until > now:
        stored.append(endpoint.former_secret)
    return " ".join(Webhook(_opened(each)).sign(event_id, now, body) for each in stored)


def _opened(stored: str) -> str:
    try:
        return _keys().decrypt(stored).decode()
    except InvalidToken:
        raise SecretLostError("The secret is of another SECRET_KEY: rotate it.") from None


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in _all_keys()])


def _all_keys() -> Sequence[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


@cache
def _derived(key: str) -> bytes:
    found = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(found)
