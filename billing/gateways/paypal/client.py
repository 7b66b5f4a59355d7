"""How we speak to PayPal: where, as whom, how patiently, and what its errors mean to us.

Plain HTTP through `requests`, not PayPal's own `paypal-server-sdk` (2.3.0 as of June 2026). That
one is maintained and covers orders, payments, the vault and the search of transactions. But it has
neither disputes nor notifications, so that half of this folder would be HTTP all the same; it
knows two fixed hosts, so that nothing can stand in for PayPal; it has one timeout for connecting
and answering; it ships no type information; and it would add four dependencies.

Every request has a connection of its own. On one kept open, a peer that hung up long ago looks
like one that hung up after listening; so few are sent that this would cost more than it saves.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import requests

from billing import clock
from billing.gateways.base import (
    GatewayRejectedError,
    GatewayUnavailableError,
    GatewayUnreachableError,
)
from billing.gateways.network import never_left
from billing.gateways.options import option

Fields = Mapping[str, Any]  # PayPal's JSON
Parts = Mapping[str, tuple[str | None, bytes, str]]  # name: file name, content, type

TIMEOUTS: Final = (5.0, 25.0)  # seconds to connect, and to wait for an answer
LIVE: Final = "https://api-m.paypal.com"
_TOKEN: Final = "/v1/oauth2/token"  # noqa: S105  # a path
_EARLY: Final = timedelta(seconds=60)  # how long before its end an access token is given up
_REFUSALS: Final = frozenset({400, 403, 404, 422})
# An earlier sending of the same exists, or is under way.
_EARLIER: Final = frozenset(
    {
        "DUPLICATE_INVOICE_ID",
        "DUPLICATE_REQUEST_ID",
        "ORDER_ALREADY_CAPTURED",
        "ORDER_COMPLETION_IN_PROGRESS",
        "PAYPAL_REQUEST_ID_PREVIOUSLY_USED",
        "PREVIOUS_REQUEST_IN_PROGRESS",
    }
)
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class RefusedError(GatewayRejectedError):
    """PayPal understood and refuses.

    :param issue: PayPal's word for why, empty if it gives none.
    """

    def __init__(self, text: str, status: int, issue: str) -> None:
        super().__init__(text)
        self.status = status
        self.issue = issue

    @property
    def is_missing(self) -> bool:
        """Whether there is no such thing."""
        return self.status == 404


class EarlierError(GatewayUnavailableError):
    """It was sent before, and what came of that is the answer: look for it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where PayPal is, and who we are there."""

    base: str
    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def from_settings(cls) -> Account:
        """By the settings; without a client id there is no account."""
        return cls(
            base=(option("PAYPAL_API_BASE") or LIVE).rstrip("/"),
            client_id=option("PAYPAL_CLIENT_ID"),
            client_secret=option("PAYPAL_CLIENT_SECRET"),
        )


class Client:
    """PayPal's API. It may be shared between threads.

    What a call raises: `RefusedError` where PayPal refuses, `EarlierError` where it was sent
    before, `GatewayUnreachableError` where it was certainly not heard, and
    `GatewayUnavailableError` for all that proves nothing.
    """

    def __init__(self, account: Account) -> None:
        self._base = account.base
        self._tokens = _Tokens(account)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Fields:
        """Read something."""
        return self._answer("GET", path, {}, params=query)

    def find(self, path: str, object_id: str) -> Fields | None:
        """Read one of the things at a path; None if there is no such thing."""
        try:
            return self.get(f"{path}/{quote(object_id, safe='')}")
        except RefusedError as refusal:
            if refusal.is_missing:
                return None
            raise

    def post(self, path: str, body: Fields, key: str) -> Fields:
        """Do something, once under this key, and be told all that came of it.

        PayPal keeps keys for 3 hours (the vault), 6 hours (orders) or 45 days (refunds).
        """
        headers = {"PayPal-Request-Id": key, "Prefer": "return=representation"}
        return self._answer("POST", path, headers, json=body)

    def upload(self, path: str, parts: Parts, key: str) -> Fields:
        """Send files and what is said of them."""
        return self._answer("POST", path, {"PayPal-Request-Id": key}, files=parts)

    def _answer(self, method: str, path: str, headers: Mapping[str, str], **what: Any) -> Fields:
        token = self._tokens.good()
        response = self._sent(method, path, _bearing(headers, token), **what)
        if response.status_code == 401:
            token = self._tokens.good(spent=token)
            response = self._sent(method, path, _bearing(headers, token), **what)
        return _read(response)

    def _sent(
        self, method: str, path: str, headers: Mapping[str, str], **what: Any
    ) -> requests.Response:
        try:
            return requests.request(
                method,
                f"{self._base}{path}",
                headers=headers,
                timeout=TIMEOUTS,
                allow_redirects=False,
                **what,
            )
        except requests.RequestException as error:
            name = type(error).__name__
            if never_left(error):
                raise GatewayUnreachableError(f"PayPal was not reached: {name}") from None
            raise GatewayUnavailableError(f"PayPal gave no answer: {name}") from None


class _Tokens:
    """The access token, renewed before it runs out or once it is refused.

    Whatever goes wrong here, nothing was asked yet.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._value = ""
        self._until = datetime.min.replace(tzinfo=UTC)

    def good(self, *, spent: str = "") -> str:
        """One that should be good, and is not the one that was refused."""
        with self._lock:
            if self._value in {"", spent} or clock.now() >= self._until:
                self._renew()
            return self._value

    def _renew(self) -> None:
        began = clock.now()
        answer = self._issued()
        try:
            lifetime = timedelta(seconds=int(answer["expires_in"]))
            self._value, self._until = str(answer["access_token"]), began + lifetime - _EARLY
        except (KeyError, TypeError, ValueError, OverflowError):
            raise GatewayUnavailableError("PayPal's access token cannot be read.") from None

    def _issued(self) -> Fields:
        try:
            response = requests.post(
                f"{self._account.base}{_TOKEN}",
                auth=(self._account.client_id, self._account.client_secret),
                data={"grant_type": "client_credentials"},
                timeout=TIMEOUTS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise GatewayUnreachableError(
                f"PayPal gave no access token: {type(error).__name__}"
            ) from None
        if response.status_code == 429 or response.status_code >= 500:
            raise GatewayUnreachableError(f"PayPal gave no access token: {response.status_code}")
        if response.status_code != 200:
            raise GatewayUnavailableError(f"PayPal does not know us: {_summary(response)}")
        return _json(response)


@contextmanager
def doubtful(*, is_repeated: bool = True) -> Iterator[None]:
    """Where it may have been sent before: that it was not heard now proves nothing either."""
    try:
        yield
    except GatewayUnreachableError as error:
        if not is_repeated:
            raise
        raise GatewayUnavailableError(str(error)) from None


def _bearing(headers: Mapping[str, str], token: str) -> Mapping[str, str]:
    return {"Accept": "application/json", "Authorization": f"Bearer {token}", **headers}


def _read(response: requests.Response) -> Fields:
    """What PayPal answers, or what it refuses with."""
    status = response.status_code
    if status == 204:
        return {}
    if 200 <= status < 300:
        return _json(response)
    summary, issue = _summary(response), _issue(_error(response))
    if status == 429:
        raise GatewayUnreachableError(f"PayPal turns us away: {summary}")
    if status == 409 or issue in _EARLIER:
        raise EarlierError(f"PayPal was asked before: {summary}")
    if status in _REFUSALS:
        raise RefusedError(f"PayPal refuses: {summary}", status, issue)
    raise GatewayUnavailableError(f"PayPal gave no answer: {summary}")


def _json(response: requests.Response) -> Fields:
    try:
        found = response.json()
    except requests.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise GatewayUnavailableError(f"PayPal's answer is no JSON: {response.status_code}")
    return found


def _error(response: requests.Response) -> Fields:
    try:
        found = response.json()
    except requests.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _issue(error: Fields) -> str:
    details = error.get("details")
    first = details[0] if isinstance(details, list) and details else {}
    return _word(first.get("issue") if isinstance(first, dict) else "")


def _summary(response: requests.Response) -> str:
    """Words of PayPal's own only: its sentences may quote what was sent."""
    error = _error(response)
    name = _word(error.get("name")) or _word(error.get("error"))
    debug_id = _word(error.get("debug_id")) or _word(response.headers.get("PayPal-Debug-Id"))
    parts = [str(response.status_code), name, _issue(error), debug_id]
    return " ".join(part for part in parts if part)


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""
