"""A product that knows nothing of billing but Bursar's API, as a web server of its own."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PAGE = (
    '<!doctype html><html lang="en"><title>The product</title><link rel="icon" href="data:,">'
    '<h1>{}</h1><a href="/billing">Billing</a>'
)


@dataclass
class Product:
    """Where it is, whose billing it asks for, and how.

    :param address: of Bursar's API that makes links.
    :param wish: what is posted there.
    """

    url: str
    token: str
    bursar: str
    address: str = "portal-sessions"
    wish: dict[str, Any] = field(default_factory=dict)

    def link(self) -> str:
        """Ask Bursar for a link, as the server that the person is signed in at."""
        request = urllib.request.Request(
            f"{self.bursar}/api/v1/{self.address}",
            json.dumps(self.wish).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["url"])


@contextmanager
def running(bursar: str, token: str) -> Iterator[Product]:
    """The product, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        """Its pages: where one presses `Billing`, and where one comes back to."""

        def do_GET(self) -> None:  # the standard library's name
            """Off to Bursar by a fresh link, or a page that says where one is."""
            if self.path == "/billing":
                self.send_response(302)
                self.send_header("Location", product.link())
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(_PAGE.format(f"Product {self.path}").encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    product = Product(f"http://127.0.0.1:{server.server_port}", token, bursar)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield product
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
