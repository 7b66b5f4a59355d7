"""The directory one demo lives in, and the lock that keeps a second supervisor out."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from supervisor.errors import HomeBusyError, SupervisorError

_MARKER = ".bursar-home"
_MARKER_TEXT = "This directory belongs to Bursar's supervisor; `make demo-reset` deletes it.\n"


@dataclass(frozen=True)
class Home:
    """The paths inside a home. Only `claim` makes one ready for use."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def environment(self) -> Path:
        """The settings of what runs here now; there while the servers answer."""
        return self.run / "environment.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def is_ours(self) -> bool:
        return (self.path / _MARKER).is_file()


@contextmanager
def claim(path: Path) -> Iterator[Home]:
    """Make the home if need be and hold it alone.

    :raises HomeBusyError: if another supervisor holds it.
    :raises SupervisorError: if the directory is somebody else's.
    """
    home = Home(path.absolute())
    _prepare(home)
    with _locked(home):
        home.environment.unlink(missing_ok=True)
        yield home


def is_held(home: Home) -> bool:
    """Whether a supervisor works in this home now."""
    try:
        with _locked(home):
            return False
    except HomeBusyError:
        return True
    except FileNotFoundError:
        return False


def _prepare(home: Home) -> None:
    if home.path.exists() and not home.is_ours() and any(home.path.iterdir()):
        raise SupervisorError(
            f"{home.path} is not empty and not a home of Bursar; choose another with BURSAR_HOME=…"
        )
    home.path.mkdir(parents=True, exist_ok=True)
    _check_owner(home.path)
    # PostgreSQL does not run as root: its user must be able to pass through, though not to look.
    home.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    (home.path / _MARKER).write_text(_MARKER_TEXT)
    for private in (home.logs, home.run):
        private.mkdir(mode=0o700, exist_ok=True)


def _check_owner(path: Path) -> None:
    owner = path.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise SupervisorError(
            f"{path} belongs to user {owner}, not to you; "
            "run as that user, or choose another home with BURSAR_HOME=…"
        )


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    """Hold the lock; the kernel lets go of it however this process ends."""
    descriptor = os.open(home.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeBusyError(home.path, os.read(descriptor, 20).decode() or "unknown") from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)
