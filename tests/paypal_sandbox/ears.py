"""A webhook endpoint for tests: it hears everything and checks signatures by itself."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class Ears:
    """What an endpoint heard, in order; `answers` are the statuses it gives first.

    It checks signatures as soon as it knows the certificate.
    """

    webhook_id = "WHLOCAL0000000001"

    def __init__(self, url: str) -> None:
        self.url = url
        self.certificate = ""
        self.heard: list[tuple[bytes, dict[str, str]]] = []
        self.answers: list[int] = []
        self._lock = threading.Lock()

    def hear(self, body: bytes, headers: Mapping[str, str]) -> int:
        if self.certificate:
            check(self.certificate, self.webhook_id, body, headers)
        with self._lock:
            self.heard.append((body, dict(headers)))
            return self.answers.pop(0) if self.answers else 200

    @property
    def events(self) -> list[Any]:
        return [json.loads(body) for body, _ in self.heard]

    @property
    def types(self) -> list[str]:
        return sorted(event["event_type"] for event in self.events)


def check(certificate: str, webhook_id: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Check a signature as PayPal's documentation says, without the stand-in's own code."""
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert headers["PAYPAL-AUTH-ALGO"] == "SHA256withRSA"
    sent = (headers["PAYPAL-TRANSMISSION-ID"], headers["PAYPAL-TRANSMISSION-TIME"])
    line = "|".join((*sent, webhook_id, str(zlib.crc32(body))))
    signature = base64.b64decode(headers["PAYPAL-TRANSMISSION-SIG"])
    key.verify(signature, line.encode(), padding.PKCS1v15(), hashes.SHA256())


@contextmanager
def listening() -> Iterator[Ears]:
    """Listen on a free port of loopback."""

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(ears.hear(body, dict(self.headers.items())))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server: HTTPServer = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    ears = Ears(f"http://127.0.0.1:{server.server_port}/hooks?from=paypal")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield ears
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
