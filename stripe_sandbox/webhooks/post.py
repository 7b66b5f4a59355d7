"""One notification, sent: plain HTTP that can be broken off."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

from stripe import WebhookSignature

_PATIENCE = 20.0


class Post:
    """Sends, and lets go of everything under way when told to."""

    def __init__(self) -> None:
        """Have nothing under way."""
        self._lock = threading.Lock()
        self._under_way: set[HTTPConnection] = set()

    def send(self, url: str, payload: bytes, secret: str) -> int:
        """Deliver a signed notification and return the status of the answer.

        A redirect is not followed: to Stripe, it is a failed delivery.

        :raises OSError: if nobody answers, or not in time.
        :raises HTTPException: if the answer is not HTTP.
        """
        address = urlsplit(url)
        connection = _connection(address.scheme, address.netloc)
        with self._lock:
            self._under_way.add(connection)
        try:
            target = f"{address.path or '/'}{f'?{address.query}' if address.query else ''}"
            connection.request("POST", target, payload, _headers(payload, secret))
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            with self._lock:
                self._under_way.discard(connection)
            connection.close()

    def break_off(self) -> None:
        """End every delivery under way, as a failed one."""
        with self._lock:
            for connection in self._under_way:
                if connection.sock is not None:
                    with suppress(OSError):
                        connection.sock.shutdown(socket.SHUT_RDWR)


def _connection(scheme: str, host: str) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, timeout=_PATIENCE, context=ssl.create_default_context())
    return HTTPConnection(host, timeout=_PATIENCE)


def _headers(payload: bytes, secret: str) -> dict[str, str]:
    """Sign with the real time: clients check it against theirs, whatever a test clock says."""
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (stand-in)",
        "Stripe-Signature": WebhookSignature.generate_signature_header(payload.decode(), secret),
    }
