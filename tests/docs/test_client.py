"""The Python client that `docs/api/clients.md` generates: it is whole, and walks the whole tour."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.docs import shell
from tests.docs.conftest import Site
from tests.docs.pages import FOLDER, blocks, difference

PAGE: Final = "clients.md"
_PACKAGE: Final = "bursar_client"
_PATHS: Final = re.compile(r"^paths:\n(.*?)^\w", re.DOTALL | re.MULTILINE)
_OPERATION: Final = re.compile(r"^ +operationId: (\w+)$", re.MULTILINE)
_WARNING: Final = re.compile(r"^WARNING parsing (.+?) within .+\n\n(\w+ \w+ \w+)", re.MULTILINE)
# Usage comes in formats that the generator cannot send; it sends JSON.
_OTHER_FORMATS: Final = {("POST /api/v1/usage-events", "Unsupported content type")}


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """Where the page is followed; what was imported from there is forgotten."""
    folder = tmp_path / "docs" / "api"
    folder.mkdir(parents=True)
    config = FOLDER / "python-client.yaml"
    (folder / config.name).write_bytes(config.read_bytes())
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
        del sys.modules[name]


def test_the_generated_client_is_whole_and_walks_the_tour(
    checkout: Path,
    site: Site,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writing, generating, tour, said, *_ = blocks(PAGE)
    with contextlib.chdir(checkout):
        list(shell.run(writing.text, {}))
    document = (checkout / "docs" / "api" / "openapi.yaml").read_text(encoding="utf-8")

    told = _generated(generating.text, checkout)
    assert set(_WARNING.findall(told)) <= _OTHER_FORMATS
    assert "will not be generated" not in told
    modules = (checkout / "bursar-client" / _PACKAGE / "api").glob("*/*.py")
    assert {path.stem for path in modules} - {"__init__"} == _operations(document)

    monkeypatch.syspath_prepend(checkout / "bursar-client")
    monkeypatch.setenv("BURSAR", f"{site.url}/api/v1")
    monkeypatch.setenv("TOKEN", site.token)
    capsys.readouterr()
    exec(compile("\n" * tour.line + tour.text, FOLDER / PAGE, "exec"), {})  # noqa: S102
    assert not difference(said, capsys.readouterr().out, {})


def _generated(command: str, where: Path) -> str:
    """What the generator says."""
    program, *words = shlex.split(command.replace("\\\n", " "))
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *words],
        cwd=where,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def _operations(document: str) -> set[str]:
    """What the document's operations are called as modules."""
    (paths,) = _PATHS.findall(document)
    names = _OPERATION.findall(paths)
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in names}
