"""Processes for the tests: small programs, and what became of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import supervisor
from supervisor import processes
from supervisor.crew import Service
from supervisor.program import Program

PROJECT = Path(supervisor.__file__).parent.parent
FOREVER = "import time; time.sleep(600)"
STUBBORN = f"""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
{FOREVER}
"""


def python(
    name: str, code: str, logs: Path, *, needs: tuple[str, ...] = (), once: bool = False
) -> Service:
    """A service that runs a line of Python."""
    logs.mkdir(parents=True, exist_ok=True)
    program = Program(
        name, (sys.executable, "-c", code), dict(os.environ), logs / f"{name}.log", grace=0.5
    )
    return Service(program, name.capitalize(), needs=needs, once=once)


def children(home: Path) -> dict[str, int]:
    """The processes a supervisor says it runs."""
    path = home / "run" / "children.json"
    rows = json.loads(path.read_text()) if path.exists() else []
    return {row["name"]: row["pid"] for row in rows}


def gone(pid: int) -> bool:
    """Whether it ended; one that waits to be reaped has."""
    return processes.start_time(pid) is None


def wait_until(true: Callable[[], object], *, seconds: float = 30) -> None:
    """Fail unless this becomes true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.02)


@contextmanager
def supervising(
    *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Python with these arguments in the project, killed in the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=os.environ | dict(env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
