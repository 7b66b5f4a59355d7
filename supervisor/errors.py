"""What can go wrong, in sentences for the person at the terminal."""

from __future__ import annotations


class SupervisorError(Exception):
    """Something the person who started us must know; the message says what to do."""


class StartError(SupervisorError):
    """A service did not become ready; the message ends with its log's last lines."""


class StopRequestedError(SupervisorError):
    """Someone asked us to stop before everything was ready."""


class HomeBusyError(SupervisorError):
    """Another supervisor holds this home."""

    def __init__(self, path: object, pid: str) -> None:
        super().__init__(
            f"{path} is in use by another supervisor (process {pid}). "
            "Stop that one first, or choose another home with BURSAR_HOME=…"
        )
