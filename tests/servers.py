"""A pytest plugin: PostgreSQL and Valkey for the run, started before Django reads its settings.

Loaded by `-p tests.servers`. With pytest-xdist the controlling process owns the servers and its
workers inherit their addresses.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

from supervisor import servers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")

_DEMONSTRATION: Final = "tests/end_to_end/"
_RUNNING = ExitStack()
atexit.register(_RUNNING.close)  # also when collecting fails


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Start the servers, unless a controlling process has; each worker has a cache of its own."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL']}?db={number}"
    else:
        home = Path(tempfile.mkdtemp(prefix="bursar-"))
        _RUNNING.callback(shutil.rmtree, home, ignore_errors=True)
        found = _RUNNING.enter_context(servers.running(home, durable=False))
        os.environ["DATABASE_URL"] = found.database_url
        os.environ["REDIS_URL"] = found.redis_url
    return (yield)


def pytest_sessionstart(session: pytest.Session) -> None:
    """While the workers still look for their tests, migrate the database that they will copy."""
    if session.config.getoption("numprocesses", None):
        migrating = subprocess.Popen([sys.executable, "-m", "tests.template"])
        _RUNNING.callback(migrating.wait)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: who waits for a browser or a server leaves one idle.

    They share one PostgreSQL and its connections, so there are not more than eight.
    """
    return min((os.cpu_count() or 1) + 1, 8)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Hand tests out by modules, whose tests share what takes long to set up."""
    return _Together(config, log)


class _Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Modules as they are, and all that share the running demonstration."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return _DEMONSTRATION if module.startswith(_DEMONSTRATION) else module
