"""A pytest plugin: PostgreSQL and Valkey for the run, started before Django reads its settings.

Loaded by `-p tests.servers`. With pytest-xdist the controlling process owns the servers and its
workers inherit their addresses.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

from supervisor import servers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: who waits for a browser or a server leaves one idle."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Hand tests out one by one, but keep together those that share the running demonstration."""
    return _Together(config, log)


# What shares something that takes long to set up: the demonstration, a stage.
_SHARING: Final = (
    "tests/end_to_end/",
    "tests/api/test_fuzz.py",
    "tests/api/test_permissions.py",
    "tests/api/test_robustness.py",
)


class _Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """xdist 3.8 cannot see its own marks for this any more under pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return next((part for part in _SHARING if nodeid.startswith(part)), nodeid)
