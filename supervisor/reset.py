"""Forget a home: everything in it, and what had to live elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

from supervisor import home as homes
from supervisor import place, servers
from supervisor.errors import SupervisorError
from supervisor.home import Home


def reset(path: Path) -> str:
    """Delete the home; a sentence that says so.

    :raises HomeBusyError: while a supervisor works in it.
    :raises SupervisorError: if the directory is not one of ours.
    """
    home = Home(path)
    if not path.exists():
        return f"{path} does not exist; nothing to forget."
    if not home.is_ours():
        raise SupervisorError(f"{path} is not a home of Bursar; it is left as it is.")
    with homes.claim(path):
        servers.end_leftovers(home, print)
        for directory in place.elsewhere(home):
            shutil.rmtree(directory)
        shutil.rmtree(path)
    return f"{path} is forgotten."
