"""What the person asked for through the environment, checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor.errors import SupervisorError

_HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class Options:
    """Where the home is, which port the web server takes, and the environment we were given."""

    home: Path
    port: int
    given: Mapping[str, str]


def read() -> Options:
    """From BURSAR_HOME and PORT.

    :raises SupervisorError: if PORT is no port.
    """
    given = dict(os.environ)
    return Options(
        home=Path(given.get("BURSAR_HOME") or ".bursar").absolute(),
        port=_port(given.get("PORT") or "8000"),
        given=given,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _HIGHEST_PORT:
        raise SupervisorError(f"PORT={text} is not a port; take a number from 1 to 65535.")
    return int(text)
