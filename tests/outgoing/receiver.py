"""A server that is told things, in whatever mood it is: a real one, on loopback."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, TypeAlias

from standardwebhooks import Webhook

Mood: TypeAlias = "Callable[[_Handler], None]"


@dataclass(frozen=True)
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """The notification."""
        told: dict[str, Any] = json.loads(self.body)
        return told

    def is_signed_by(self, secret: str) -> bool:
        """Whether one of its signatures is by that secret, as the standard's library has it."""
        try:
            Webhook(secret).verify(self.body, self.headers)
        except Exception:  # whatever it does not like
            return False
        return True


@dataclass
class Receiver:
    """Answers by the moods it is put in, one after the other, and by `usual` after them."""

    url: str
    usual: Mood
    moods: deque[Mood] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def types(self) -> list[str]:
        """What it was told, in order."""
        return [request.said["type"] for request in self.requests]

    def is_in(self, *moods: Mood) -> None:
        """For the next requests, in order."""
        self.moods.extend(moods)

    def waits_for_one(self) -> None:
        """Until a request has come in."""
        assert self.came.acquire(timeout=15)


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        mood = self.receiver.moods.popleft() if self.receiver.moods else self.receiver.usual
        self.receiver.requests.append(Request(self.path, headers, body))
        self.receiver.came.release()
        self.close_connection = True
        mood(self)

    def log_message(self, *_: Any) -> None:
        """Quietly."""


def answering(status: int, body: bytes = b"", **headers: str) -> Mood:
    """An answer of that status."""

    def mood(handler: _Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return mood


def slow(handler: _Handler) -> None:
    """Says nothing until it is released."""
    handler.receiver.released.wait(15)


def slow_to_take(handler: _Handler) -> None:
    """Takes it, once it is released."""
    handler.receiver.released.wait(15)
    taking(handler)


def trickling(handler: _Handler) -> None:
    """A byte of a header now and then, each in time for a time-out of its own."""
    _drip(handler, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000)


def trickling_body(handler: _Handler) -> None:
    """Says 200 at once, and then drips."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    _drip(handler, b"y" * 1000)


def closing_half_way(handler: _Handler) -> None:
    """Ends in the middle of its first line."""
    handler.wfile.write(b"HTTP/1.1 20")


def endless(handler: _Handler) -> None:
    """Says 200, and then more than anybody wants to read."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    try:
        while not handler.receiver.released.is_set():
            handler.wfile.write(b"z" * 65536)
    except OSError:
        pass


def _drip(handler: _Handler, text: bytes) -> None:
    try:
        for number in range(len(text)):
            handler.wfile.write(text[number : number + 1])
            if handler.receiver.released.wait(0.05):
                return
    except OSError:
        pass


taking: Final = answering(200, b"thank you")
failing: Final = answering(500, b"out of order")


@contextmanager
def receiver(usual: Mood = taking) -> Iterator[Receiver]:
    """One that listens, until the end of the block."""
    handler: Any = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    found = Receiver(f"http://127.0.0.1:{server.server_port}/hooks", usual)
    handler.receiver = found
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        found.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
