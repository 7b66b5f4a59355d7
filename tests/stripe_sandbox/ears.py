"""A webhook endpoint for tests: it hears everything, checks every signature, and may refuse."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

import stripe

SECRET = "whsec_known_before_the_stand_in_started"


class Ears:
    """What an endpoint heard, in order; `answers` are the statuses it gives first."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.secret = SECRET
        self.events: list[stripe.Event] = []
        self.answers: list[int] = []
        self._lock = threading.Lock()

    def hear(self, body: bytes, signature: str) -> int:
        event = stripe.Webhook.construct_event(body, signature, self.secret)
        with self._lock:
            self.events.append(event)
            return self.answers.pop(0) if self.answers else 200

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]

    def of(self, event_type: str) -> stripe.Event:
        return next(event for event in self.events if event.type == event_type)


@contextmanager
def listening() -> Iterator[Ears]:
    """Listen on a free port of loopback."""

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(ears.hear(body, self.headers["Stripe-Signature"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server: HTTPServer = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    ears = Ears(f"http://127.0.0.1:{server.server_port}/hooks?from=stripe")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield ears
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
