"""One notification, sent with the headers it is given."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

from stripe_sandbox.webhooks import post

_PATIENCE = 20.0


class Post(post.Post):
    """Sends, and lets go of everything under way when told to."""

    def deliver(self, url: str, payload: bytes, headers: Mapping[str, str]) -> int:
        """Deliver a notification and return the status of the answer; no redirect is followed.

        :raises OSError: if nobody answers, or not in time.
        :raises HTTPException: if the answer is not HTTP.
        """
        address = urlsplit(url)
        connection = _connection(address.scheme, address.netloc)
        with self._lock:
            self._under_way.add(connection)
        try:
            target = f"{address.path or '/'}{f'?{address.query}' if address.query else ''}"
            connection.request("POST", target, payload, dict(headers))
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            with self._lock:
                self._under_way.discard(connection)
            connection.close()


def _connection(scheme: str, host: str) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, timeout=_PATIENCE, context=ssl.create_default_context())
    return HTTPConnection(host, timeout=_PATIENCE)
