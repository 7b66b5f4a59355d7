"""One program and its running child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor import processes

_SPAWN = Path(__file__).with_name("spawn.py")


@dataclass(frozen=True)
class Owner:
    """The user a program runs as when it must not be ours."""

    uid: int
    gid: int

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}"


@dataclass(frozen=True)
class Program:
    """What to run and how to end it.

    Without a log its output goes where ours goes. `stop_signal` asks it to end by itself; after
    `grace` seconds it is killed.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path | None
    cwd: Path | None = None
    owner: Owner | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 4.0

    def command(self) -> tuple[str, ...]:
        """The command line that takes on the owner and the death signal first."""
        return (
            *(sys.executable, "-I", "-S", str(_SPAWN)),
            *(str(os.getpid()), str(int(self.stop_signal)), str(self.owner or "")),
            *self.argv,
        )

    def last_lines(self, count: int = 15) -> str:
        """The end of its log, indented for a message."""
        if self.log is None or not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 16_384))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-count:])


class Child:
    """A started program, the leader of its own process group."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.started = time.monotonic()
        self._asked: float | None = None
        self._family: list[processes.Identity] = []
        self._process = _open(program)
        self.pid = self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send the stop signal, once."""
        if self._asked is None and self.exit_code() is None:
            self._asked = time.monotonic()
            self._family = processes.descendants(self.pid)
            processes.send(self.pid, self.program.stop_signal)

    def ended(self) -> bool:
        """Whether it is gone; kills it when its grace is over."""
        if self.exit_code() is not None:
            return True
        if self._asked is not None and time.monotonic() - self._asked > self.program.grace:
            self.kill()
        return False

    def kill(self) -> None:
        processes.send_to_group(self.pid, signal.SIGKILL)

    def sweep(self) -> None:
        """Kill what the ended process left behind: its group, and children that left the group."""
        processes.send_to_group(self.pid, signal.SIGKILL)
        for identity in self._family:
            identity.send(signal.SIGKILL)


def _open(program: Program) -> subprocess.Popen[bytes]:
    log = None if program.log is None else program.log.open("ab")
    try:
        return subprocess.Popen(
            program.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=None if log is None else subprocess.STDOUT,
            env=dict(program.env),
            cwd=program.cwd,
            process_group=0,
            umask=0o077,
        )
    finally:
        if log is not None:
            log.close()
