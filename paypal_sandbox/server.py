"""The stand-in as an HTTP server, on loopback only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from paypal_sandbox.core import Options, Sandbox
from stripe_sandbox.loopback import Exchange, LoopbackServer, served
from stripe_sandbox.messages import Answer

_LARGEST_BODY = 30_000_000  # evidence comes with files


class _Exchange(Exchange):
    """PayPal's: JSON, mostly."""

    server_version = "paypal-sandbox"
    server: Server

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        """The body is left as it came."""
        target = f"{path}?{query}" if query else path
        return self.server.sandbox.handle(method, target, body, dict(self.headers.items()))

    def largest(self) -> int:
        """Whatever it is."""
        return _LARGEST_BODY


class Server(LoopbackServer):
    """Serves one stand-in."""

    def __init__(self, sandbox: Sandbox, host: str, port: int) -> None:
        """Bind to a loopback address; port 0 picks a free one.

        :raises NotLoopbackError: for any other address.
        """
        self.sandbox = sandbox
        public_url = sandbox.options.public_url or ""
        super().__init__(sandbox, (host, port), _Exchange, public_url=public_url)
        if not public_url:
            sandbox.state.base_url = self.url


@contextmanager
def running(
    *,
    state: str = ":memory:",
    port: int = 0,
    host: str = "127.0.0.1",
    webhook_url: str | None = None,
    webhook_id: str | None = None,
) -> Iterator[str]:
    """Run a stand-in in threads of this process and yield its base URL."""
    sandbox = Sandbox(state, Options(webhook_url=webhook_url, webhook_id=webhook_id))
    try:
        server = Server(sandbox, host, port)
    except BaseException:
        sandbox.close()
        raise
    with served(server) as url:
        yield url
