"""A home that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.reset import reset


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Where a supervisor may live; as root PostgreSQL's user cannot reach it, which is the point:
    its data then has to find another place."""
    path = tmp_path / "home"
    yield path
    reset(path)
