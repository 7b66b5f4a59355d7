"""The stand-in as an HTTP server, on loopback only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stripe_sandbox.core import Sandbox
from stripe_sandbox.endpoints import listen_at
from stripe_sandbox.loopback import Exchange, LoopbackServer, served
from stripe_sandbox.messages import Answer
from stripe_sandbox.wire import multipart

_LARGEST_BODY = 1_000_000
_LARGEST_UPLOAD = 8_000_000


class _Exchange(Exchange):
    """Stripe's: forms, and uploads as if they were forms."""

    server_version = "stripe-sandbox"
    server: Server

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        """Query and body are one form."""
        text = (
            multipart.flattened(self._kind, body)
            if multipart.is_multipart(self._kind)
            else body.decode("utf-8", "replace")
        )
        form = "&".join(part for part in (query, text) if part)
        return self.server.sandbox.handle(method, path, form, dict(self.headers.items()))

    def largest(self) -> int:
        """Files are larger."""
        return _LARGEST_UPLOAD if multipart.is_multipart(self._kind) else _LARGEST_BODY

    @property
    def _kind(self) -> str:
        return self.headers.get("Content-Type") or ""


class Server(LoopbackServer):
    """Serves one stand-in."""

    def __init__(self, sandbox: Sandbox, host: str, port: int, public_url: str | None) -> None:
        """Bind to a loopback address; port 0 picks a free one.

        :raises NotLoopbackError: for any other address.
        """
        self.sandbox = sandbox
        super().__init__(sandbox, (host, port), _Exchange, public_url=public_url or "")


@contextmanager
def running(
    *,
    state: str = ":memory:",
    port: int = 0,
    host: str = "127.0.0.1",
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
) -> Iterator[str]:
    """Run a stand-in in threads of this process and yield its base URL."""
    sandbox = Sandbox(state)
    try:
        server = Server(sandbox, host, port, None)
    except BaseException:
        sandbox.close()
        raise
    if webhook_url and webhook_secret:
        listen_at(sandbox.state, webhook_url, webhook_secret)
    with served(server) as url:
        yield url
