"""The list of our children on disk, so that the next start can end what a killed one left."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from supervisor import processes
from supervisor.files import write_private
from supervisor.processes import Identity
from supervisor.program import Child

_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class _Entry:
    name: str
    stop_signal: int
    identity: Identity


class Roster:
    """Children by name; rewritten at every start of one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, _Entry] = {}

    def add(self, child: Child) -> None:
        started = processes.start_time(child.pid)
        if started is not None:
            identity = Identity(child.pid, started)
            stop_signal = int(child.program.stop_signal)
            self._entries[child.program.name] = _Entry(child.program.name, stop_signal, identity)
            self._write()

    def clear(self) -> None:
        self._entries.clear()
        self._path.unlink(missing_ok=True)

    def end_leftovers(self) -> list[str]:
        """Stop what an earlier supervisor did not; returns the names.

        The caller holds the home, so nobody else can own these processes.
        """
        left = [entry for entry in self._read() if entry.identity.alive()]
        families = [one for entry in left for one in processes.descendants(entry.identity.pid)]
        for entry in reversed(left):
            entry.identity.send(signal.Signals(entry.stop_signal))
        end([entry.identity for entry in left], patience=_PATIENCE_SECONDS)
        end(families, patience=0)
        for entry in left:
            processes.send_to_group(entry.identity.pid, signal.SIGKILL)
        self.clear()
        return [entry.name for entry in left]

    def _read(self) -> list[_Entry]:
        try:
            rows = json.loads(self._path.read_text())
            return [
                _Entry(row["name"], row["signal"], Identity(row["pid"], row["started"]))
                for row in rows
            ]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return []

    def _write(self) -> None:
        rows = [
            {
                "name": entry.name,
                "signal": entry.stop_signal,
                "pid": entry.identity.pid,
                "started": entry.identity.started,
            }
            for entry in self._entries.values()
        ]
        write_private(self._path, json.dumps(rows, indent=1))


def end(identities: list[Identity], *, patience: float) -> None:
    """Wait for these to end, then kill them."""
    deadline = time.monotonic() + patience
    while any(one.alive() for one in identities) and time.monotonic() < deadline:
        time.sleep(0.02)
    for one in identities:
        one.send(signal.SIGKILL)
    gone_by = time.monotonic() + 2
    while any(one.alive() for one in identities) and time.monotonic() < gone_by:
        time.sleep(0.02)
