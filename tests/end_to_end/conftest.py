"""The whole of `make demo`, started once: what a newcomer runs, these tests use."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import chrome

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180


@dataclass(frozen=True)
class Answer:
    """What an HTTP call gave."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Demo:
    """The running application: its addresses and logins, and calls to it."""

    facts: dict[str, Any]
    process: subprocess.Popen[bytes]
    home: Path
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """Where the pages are."""
        return str(self.facts["url"])

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call the API as the operator."""
        authorization = f"Bearer {self.facts['operator_token']}"
        return call(
            method,
            f"{self.url}/api/v1{path}",
            body,
            **{"Authorization": authorization, **headers},
        )

    def stand_in(self, method: str, path: str, body: Any = None) -> Answer:
        """Turn a knob of the stand-in for Stripe."""
        return call(method, f"{self.facts['stripe_sandbox']['url']}/_control/{path}", body)

    def part(self, words: str) -> psutil.Process:
        """The process whose command line holds the words."""
        children = psutil.Process(self.process.pid).children(recursive=False)
        return next(child for child in children if words in " ".join(child.cmdline()))


def call(method: str, url: str, body: Any = None, **headers: str) -> Answer:
    """One HTTP call with JSON both ways; a refusal is an answer too."""
    request = Request(url, method=method, headers=headers)
    if body is not None:
        request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urlopen(request, timeout=60) as response:
            return Answer(response.status, _json(response.read()), dict(response.headers))
    except HTTPError as error:
        with error:
            return Answer(error.code, _json(error.read()), dict(error.headers))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text.decode()


def wait_for(what: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """Ask until there is an answer that counts."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    pytest.fail(f"nothing came in {seconds} s")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`make demo` in a home of its own; Ctrl-C must leave nothing behind."""
    home = tmp_path_factory.mktemp("demo")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
        and not name.startswith("STRIPE_")
    }
    output = (home / "output").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor", "demo"],
        cwd=ROOT,
        env={**kept, "BURSAR_HOME": str(home / "home"), "PORT": str(port)},
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    manifest = home / "home" / "demo.json"
    try:
        wait_for(lambda: manifest.exists() or process.poll() is not None)
        assert process.poll() is None, (home / "output").read_text()
        started = psutil.Process(process.pid).children(recursive=True)
        yield Demo(json.loads(manifest.read_text()), process, manifest.parent, kept)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0, (home / "output").read_text()
        assert [child for child in started if child.is_running()] == []
    finally:
        process.kill()
        process.wait()
        output.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Headless Chromium. While it is there this thread has an event loop, which Django minds."""
    with sync_playwright() as playwright:
        opened = chrome.launch(playwright)
        yield opened
        opened.close()
