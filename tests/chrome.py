"""The browser that the page tests drive: find one, or get one with `python -m tests.chrome`."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Playwright

# In a container the sandbox cannot work; nor shall the browser talk to anyone but the tests.
LAUNCH_ARGS: tuple[str, ...] = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ON_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_IN_PLAYWRIGHTS_CACHE = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)


@functools.cache
def find() -> Path | None:
    """A browser that starts: CHROME's, the system's, or Playwright's own."""
    return next((path for path in _candidates() if _starts(path)), None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser.

    :raises RuntimeError: if there is none.
    """
    path = find()
    if path is None:
        raise RuntimeError("no browser for the page tests; run `make chrome`")
    return playwright.chromium.launch(executable_path=path, args=list(LAUNCH_ARGS))


def main() -> int:
    """Find a browser or install one; say which."""
    for attempt in (None, _from_playwright, _from_debian):
        if attempt is not None:
            attempt()
        find.cache_clear()
        path = find()
        if path is not None:
            print(f"Browser for the page tests: {path}")  # noqa: T201 - a command's answer
            return 0
    sys.stderr.write(
        "No browser for the page tests. Install Chromium or Google Chrome, or name one: "
        "CHROME=/path/to/chrome make test\n"
    )
    return 1


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("CHROME"):
        yield Path(named)
    for name in _ON_PATH:
        if found := shutil.which(name):
            yield Path(found)
    yield from (Path(path) for path in _ON_MACOS)
    for pattern in _IN_PLAYWRIGHTS_CACHE:
        # The newest last by name, as Playwright numbers them.
        yield from sorted(_playwrights_cache().glob(pattern), reverse=True)


def _playwrights_cache() -> Path:
    if named := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        return Path(named)
    inside = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / inside / "ms-playwright"


def _starts(path: Path) -> bool:
    """Ubuntu's `chromium-browser` may be a stub, and a downloaded one may lack libraries."""
    try:
        done = subprocess.run([path, "--version"], check=False, capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _from_playwright() -> None:
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _from_debian() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "--quiet"], check=False)
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "chromium"], check=False)


if __name__ == "__main__":
    sys.exit(main())
