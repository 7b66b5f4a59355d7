"""Access tokens: got with a client's id and secret, shown with every call, good for a while."""

from __future__ import annotations

import base64
import binascii
import hashlib
from urllib.parse import parse_qsl

from paypal_sandbox import errors, ids, instants
from paypal_sandbox.messages import Request
from paypal_sandbox.state import State
from stripe_sandbox.messages import Answer, json_answer

_KIND = "access_token"
LIFETIME = 32_400
_SCOPES = " ".join(
    f"https://uri.paypal.com/services/{name}"
    for name in (
        "payments/payment", "payments/refund", "vault/payment-tokens/readwrite",
        "disputes/read-seller", "disputes/update-seller", "applications/webhooks",
        "reporting/search/read",
    )
)  # fmt: skip


def issue(state: State, request: Request, client: tuple[str, str] | None) -> Answer:
    """Answer `POST /v1/oauth2/token`; `client` is the only one let in, if not everybody is."""
    given = _credentials(request)
    if not given or not all(given) or (client and given != client):
        return _refusal(401, "invalid_client", "Client Authentication failed")
    if dict(parse_qsl(request.form)).get("grant_type") != "client_credentials":
        return _refusal(400, "unsupported_grant_type", "Grant Type is NULL or not supported")
    token, now = ids.secret(), state.clock()
    with state.database.transaction():
        state.records.add(_KIND, _digest(token), {"until": now + LIFETIME})
    return json_answer(
        200,
        {
            "scope": _SCOPES,
            "access_token": token,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": LIFETIME,
            "nonce": f"{instants.written(now)}{ids.debug()}",
        },
    )


def check(state: State, request: Request) -> None:
    """Let in whoever has a token that is still good.

    :raises PayPalError: 401, otherwise.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = state.records.get(_KIND, _digest(token.strip()))
    if scheme.lower() != "bearer" or not found or found["until"] <= state.clock():
        raise errors.PayPalError(401, "AUTHENTICATION_FAILURE")


def expire_all(state: State) -> None:
    """Let no token be good any more."""
    state.database.run("DELETE FROM objects WHERE kind = ?", (_KIND,))


def _credentials(request: Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


def _refusal(status: int, error: str, description: str) -> Answer:
    return json_answer(status, {"error": error, "error_description": description})


def _digest(token: str) -> str:
    """Return what is kept of a token, so that the state file lets nobody in."""
    return hashlib.sha256(token.encode()).hexdigest()
