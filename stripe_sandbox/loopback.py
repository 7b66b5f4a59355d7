"""What a stand-in needs to be an HTTP server on loopback, whoever it stands in for."""

from __future__ import annotations

import socket
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from stripe_sandbox.messages import Answer, ConnectionCutError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_IDLE = 120


class NotLoopbackError(ValueError):
    """The stand-in was asked to listen where others could reach it."""


class Served(Protocol):
    """A stand-in, as its server needs it."""

    def start(self) -> None:
        """Begin delivering notifications."""
        ...

    def stop_waiting(self) -> None:
        """Let nothing wait any longer: it is about to be closed."""
        ...

    def close(self) -> None:
        """Stop delivering and close the state."""
        ...


class Exchange(BaseHTTPRequestHandler):
    """Reads a request, lets the stand-in answer it, writes the answer in one piece."""

    protocol_version = "HTTP/1.1"
    sys_version = ""
    timeout = _IDLE
    disable_nagle_algorithm = True
    wbufsize = -1
    server: LoopbackServer

    @abstractmethod
    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        """Answer; the path is decoded, query and body are as they came.

        :raises ConnectionCutError: if a fault asked for no answer at all.
        """

    @abstractmethod
    def largest(self) -> int:
        """How many bytes the body may have."""

    def setup(self) -> None:
        """Let the server know the connection, so that it can end it."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        self.server.connections.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        """Serve until the client goes, however it goes."""
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Answer every method the same way; the base looks for `do_GET` and its like."""
        if name.startswith("do_"):
            return self._exchange
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: every request is in the journal."""

    def _exchange(self) -> None:
        body = self._body()
        if body is None:
            self._write(Answer(413, b"The body is too large."))
            self.close_connection = True
            return
        if not self._is_for_us():
            self._write(Answer(403, b"This address is not for that host."))
            return
        target: SplitResult = urlsplit(self.path)
        method = "GET" if self.command == "HEAD" else self.command
        try:
            answer = self.answer(method, unquote(target.path), target.query, body)
        except ConnectionCutError:
            self._cut()
            return
        self._write(answer)

    def _body(self) -> bytes | None:
        """Read the whole body, so that the connection can be used again."""
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > self.largest():
            return None
        return self.rfile.read(int(length))

    def _is_for_us(self) -> bool:
        """Refuse names that a hostile page could have pointed at loopback."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        return host in LOOPBACK or host == self.server.public_host

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value.replace("\r", "").replace("\n", ""))
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _cut(self) -> None:
        """End the connection without a word."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class LoopbackServer(ThreadingHTTPServer):
    """Serves one stand-in; `stop` returns once nothing of it runs any more."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(
        self, served: Served, address: tuple[str, int], exchange: type[Exchange], *, public_url: str
    ) -> None:
        """Bind to a loopback address; port 0 picks a free one.

        :param public_url: what links start with where a proxy stands before it; or empty.
        :raises NotLoopbackError: for any other address.
        """
        host, _ = address
        if host not in LOOPBACK:
            raise NotLoopbackError(
                f"The stand-in listens on loopback only ({', '.join(sorted(LOOPBACK))}): whoever "
                f"reaches it can do anything with it. Not on {host}."
            )
        if host == "::1":
            self.address_family = socket.AF_INET6
        self.public_host = urlsplit(public_url).hostname if public_url else None
        self.connections: set[Any] = set()
        self._served = served
        super().__init__(address, exchange)

    @property
    def url(self) -> str:
        """Where it listens."""
        host = str(self.server_address[0])
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave broken connections alone."""

    def start(self) -> threading.Thread:
        """Serve in a thread."""
        self._served.start()
        thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, name=type(self).__module__
        )
        thread.start()
        return thread

    def stop(self) -> None:
        """Stop serving, end every connection, and close the state."""
        self._served.stop_waiting()
        self.shutdown()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self._served.close()


@contextmanager
def served(server: LoopbackServer) -> Iterator[str]:
    """Serve in threads of this process, and give the base URL."""
    thread = server.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()
