"""The Makefile's refusals, and the search for a browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import chrome
from tests.supervisor.processes_of import PROJECT


def _make(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(PROJECT / name, directory)
    return subprocess.run(
        ["make", *arguments], cwd=directory, check=False, capture_output=True, text=True
    )


def _program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_make_names_an_old_python_and_the_way_out(tmp_path: Path) -> None:
    done = _make(tmp_path, "demo", "PYTHON=/no/python")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer, and '/no/python' is not" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_names_the_package_that_debian_leaves_out(tmp_path: Path) -> None:
    refusing = f'case "$2" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac'
    done = _make(tmp_path, "demo", f"PYTHON={_program(tmp_path / 'python', refusing)}")
    assert done.returncode != 0
    assert "apt install python3-venv" in done.stderr


@pytest.fixture
def _nothing_remembered() -> Iterator[None]:
    chrome.find.cache_clear()
    yield
    chrome.find.cache_clear()


@pytest.mark.usefixtures("_nothing_remembered")
def test_a_browser_that_is_named_and_starts_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = _program(tmp_path / "chrome", "echo Chromium 1")
    monkeypatch.setenv("CHROME", str(named))
    assert chrome.find() == named


@pytest.mark.usefixtures("_nothing_remembered")
def test_a_browser_that_does_not_start_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = _program(tmp_path / "chrome", "exit 1")
    monkeypatch.setenv("CHROME", str(stub))
    assert chrome.find() != stub
