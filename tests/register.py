"""A register of VAT numbers on loopback that answers as VIES does, and remembers what it heard."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

VALID: Final = "DE136695976"
INVALID: Final = "IT00743110157"
UNREACHABLE: Final = "FR40303265045"


class Register:
    """What it knows, how it is today, and what it was asked.

    :param mood: `well`, `down` (5xx), `busy` (429), `garbage`, `slow` or `moved` (a redirect).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.mood = "well"
        self.is_requester_known = True
        self.heard: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []

    def answer(self, body: dict[str, Any]) -> tuple[int, str]:
        """Status and text."""
        if self.mood == "slow":
            time.sleep(0.6)
        odd = {
            "down": (503, "<html>Service Unavailable</html>"),
            "busy": (429, "{}"),
            "garbage": (200, '{"valid": "maybe'),
            "moved": (302, ""),
        }
        if self.mood in odd:
            return odd[self.mood]
        if "requesterNumber" in body and not self.is_requester_known:
            return self._wrapped("INVALID_REQUESTER_INFO")
        number = f"{body['countryCode']}{body['vatNumber']}"
        if number == UNREACHABLE:
            return self._wrapped("MS_UNAVAILABLE")
        consultation = "WAPIAAAAYSsr1234" if "requesterNumber" in body else ""
        found = {
            "countryCode": body["countryCode"],
            "vatNumber": body["vatNumber"],
            "requestDate": "2026-11-20T10:00:00.000Z",
            "valid": number == VALID,
            "requestIdentifier": consultation,
            "name": "---",
            "address": "---",
        }
        return 200, json.dumps(found)

    @staticmethod
    def _wrapped(error: str) -> tuple[int, str]:
        return 400, json.dumps({"actionSucceed": False, "errorWrappers": [{"error": error}]})


@contextmanager
def running() -> Iterator[Register]:
    """The register, listening."""

    class Counter(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            register.heard.append(body)
            register.paths.append(self.path)
            register.headers.append(dict(self.headers.items()))
            status, text = register.answer(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    register = Register(f"http://127.0.0.1:{server.server_port}/rest-api")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield register
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
