"""One POST to somebody else's server, which may be slow, broken or hostile.

The name is resolved once, the address looked at, and that very address connected to. Redirects,
proxies of the environment, cookies and compressed answers are not taken.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from socket import SHUT_RDWR
from threading import Lock, Timer
from typing import Any, Final, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests_hardened import Config
from requests_hardened.client import HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from billing.core import webhook_urls
from billing.core.delivering import FailureKind

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 10
KEPT_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a POST; no failure where it was answered 2xx.

    :param answer: how the body of the answer begins, as text that can be stored.
    """

    took_ms: int
    status_code: int | None = None
    failure: FailureKind | None = None
    answer: str = ""


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allows_private: bool = False
) -> Outcome:
    """Send it, and wait for the answer for at most `CONNECT_SECONDS` and `READ_SECONDS`.

    An answer counts by its status; its body is only looked at, and never waited for longer.

    :param allows_private: inner addresses, plain http and any port, on a laptop.
    """
    began = time.monotonic()

    def outcome(failure: FailureKind | None, status: int | None = None, text: str = "") -> Outcome:
        return Outcome(int((time.monotonic() - began) * 1000), status, failure, text)

    if webhook_urls.fault(url, allows_private=allows_private) is not None:
        return outcome(FailureKind.FORBIDDEN)
    limit = _Limit()
    with limit, _session(limit, allows_private=allows_private) as session:
        try:
            answer = session.post(url, data=body, headers=dict(headers), stream=True)
        except _ERRORS as error:
            return outcome(_kind_of(error, limit))
        with answer:
            return outcome(_judged(answer.status_code), answer.status_code, _beginning(answer))


def _judged(status: int) -> FailureKind | None:
    if 200 <= status < 300:
        return None
    return FailureKind.REDIRECT if 300 <= status < 400 else FailureKind.STATUS


def _beginning(answer: requests.Response) -> str:
    """What came of the body, up to `KEPT_BYTES`; however it ended, the status was said before."""
    kept = b""
    with suppress(urllib3.exceptions.HTTPError, OSError):
        while len(kept) < KEPT_BYTES and (
            part := answer.raw.read1(KEPT_BYTES - len(kept), decode_content=False)
        ):
            kept += part
    return kept.decode(errors="replace").replace("\x00", "�")


def _kind_of(error: Exception, limit: _Limit) -> FailureKind:
    if limit.is_over:
        return FailureKind.TIMEOUT
    for kinds, failure in _FAILURES:
        if isinstance(error, kinds):
            return failure
    return FailureKind.BROKEN if limit.has_begun else FailureKind.UNREACHABLE


_ERRORS: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    ValueError,
)
# The first that fits: some are kin of others.
_FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], FailureKind], ...]] = (
    ((InvalidIPAddress, ValueError), FailureKind.FORBIDDEN),  # an address, or a name, that is none
    ((requests.exceptions.SSLError,), FailureKind.TLS),
    ((requests.ReadTimeout,), FailureKind.TIMEOUT),
)


class _Limit:
    """Ends a connection that is not done in time, however slowly bytes trickle."""

    def __init__(self) -> None:
        self.has_begun = self.is_over = False
        self._lock = Lock()
        self._timer: Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def begin(self, socket: Any) -> None:
        """From here on it has so many seconds. `socket` is any: urllib3 may wrap it."""
        with self._lock:
            self.has_begun = True
            self._timer = Timer(READ_SECONDS, self._end, [socket])
            self._timer.daemon = True
            self._timer.start()

    def _end(self, socket: Any) -> None:
        with self._lock:
            if self._timer is None:
                return  # it was done just now
            self.is_over = True
            with suppress(OSError):
                socket.shutdown(SHUT_RDWR)  # whoever reads from it is woken


def _session(limit: _Limit, *, allows_private: bool) -> HTTPSession:
    config = Config(
        ip_filter_enable=False,  # done by the adapters below, which know the limit
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(CONNECT_SECONDS, READ_SECONDS),
    )
    session = HTTPSession(config)
    session.trust_env = False  # no proxies, no netrc
    for prefix in ("http://", "https://"):
        adapter = (
            _AnyAdapter(limit)
            if allows_private
            else _PublicAdapter(limit, is_https=prefix == "https://")
        )
        session.mount(prefix, adapter)
    return session


class _AnyAdapter(HTTPAdapter):
    """Connects anywhere, within the limit."""

    def __init__(self, limit: _Limit) -> None:
        super().__init__()
        self._limit = limit

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """A pool of whatever is connected within the limit."""
        return _limited(super().get_connection_with_tls_context(*args, **kwargs), self._limit)


class _PublicAdapter(IPFilterAdapter):  # type: ignore[misc]  # it ships no types
    """Connects to public addresses only: the one that was looked at, and no other."""

    def __init__(self, limit: _Limit, *, is_https: bool) -> None:
        super().__init__(is_https_proto=is_https)
        self._limit = limit

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        """As the filter pins it; and what it lets through is looked at once more."""
        host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
        address = ip_address(host["host"].strip("[]"))
        if not webhook_urls.is_public(address):
            raise InvalidIPAddress(address)
        return host, pool

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """A pool of whatever is connected within the limit."""
        return _limited(super().get_connection_with_tls_context(*args, **kwargs), self._limit)


def _limited(pool: Any, limit: _Limit) -> Any:
    """The same pool, of connections that begin their time when they are there."""
    usual = pool.ConnectionCls

    def connect(self: Any) -> None:
        usual.connect(self)
        limit.begin(self.sock)

    pool.ConnectionCls = type("LimitedConnection", (usual,), {"connect": connect})
    return pool
