"""The stand-in as an HTTP client of the SDK, without any HTTP: for fast tests.

client = stripe.StripeClient("sk_test_…", http_client=InProcessClient(Sandbox()))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import stripe

from stripe_sandbox.core import Sandbox
from stripe_sandbox.messages import ConnectionCutError
from stripe_sandbox.wire import multipart

# The SDK gives its errors no types.
_connection_error: Callable[..., stripe.APIConnectionError] = stripe.APIConnectionError


class Headers(Mapping[str, str]):
    """Headers whose names may be written in any case, as the SDK expects."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Hold these headers."""
        self._values = {name.lower(): value for name, value in headers.items()}

    def __getitem__(self, name: str) -> str:
        """Return a header."""
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        """Name every header, in lower case."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count the headers."""
        return len(self._values)


class InProcessClient(stripe.HTTPClient):
    """Carries the SDK's requests to a `Sandbox` in the same process."""

    name = "stripe_sandbox"

    def __init__(self, sandbox: Sandbox) -> None:
        """Ask this stand-in."""
        super().__init__()
        self._sandbox = sandbox

    # The SDK leaves the body's type open.
    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Ask, and return body, status and headers.

        :raises APIConnectionError: if a fault cut the connection.
        """
        address = urlsplit(url)
        body = post_data or ""
        if isinstance(body, bytes):
            body = multipart.flattened((headers or {}).get("Content-Type", ""), body)
        form = "&".join(part for part in (address.query, body) if part)
        try:
            answer = self._sandbox.handle(
                method, address.path, form, {**(headers or {}), "Host": address.netloc}
            )
        except ConnectionCutError as cut:
            raise _connection_error("The connection was cut.", should_retry=True) from cut
        return answer.body.decode(), answer.status, Headers(answer.headers)

    def request_stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[BytesIO, int, Mapping[str, str]]:
        """Ask, and return the body as a stream."""
        body, status, told = self.request(method, url, headers, post_data)
        return BytesIO(body.encode()), status, told

    def close(self) -> None:
        """Leave the stand-in to whoever made it."""
