"""Questions about processes that are not our children. The only module that meets psutil."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

# The start time is computed from the boot time, which a clock adjustment may move a little.
_SAME_START_SECONDS = 2.0


@dataclass(frozen=True)
class Identity:
    """A process for certain: numbers are reused, a number with its start time is not."""

    pid: int
    started: float

    def alive(self) -> bool:
        started = start_time(self.pid)
        return started is not None and abs(started - self.started) < _SAME_START_SECONDS

    def send(self, number: signal.Signals) -> None:
        """Signal it if it is still the same process; never raises for one that is gone."""
        if self.alive():
            send(self.pid, number)


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def send_to_group(pid: int, number: signal.Signals) -> None:
    """Signal a whole process group; macOS answers "not permitted" for one of only zombies."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def start_time(pid: int) -> float | None:
    """When this process started; None if it is gone or only waits to be reaped."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None


def descendants(pid: int) -> list[Identity]:
    """The children of a process and theirs, in whatever process groups."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return list(_identities(children))


def working_in(directory: Path, name: str) -> list[Identity]:
    """The processes of this name whose current directory is this one."""
    found = [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == name and process.info["cwd"] == str(directory)
    ]
    return list(_identities(found))


def _identities(found: Iterable[psutil.Process]) -> Iterable[Identity]:
    for process in found:
        started = start_time(process.pid)
        if started is not None:
            yield Identity(process.pid, started)
