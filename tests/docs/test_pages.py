"""`docs/api/`, run as it stands: each page from top to bottom, as its reader would."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.docs import shell
from tests.docs.conftest import Site
from tests.docs.pages import FOLDER, Block, Example, blocks, difference, examples
from tests.docs.paying_out import pay_out

PAGES: Final = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.md"))
START: Final = "quick-start.md"
# What begins with variables that the first page has made says so in its first lines.
GOES_ON: Final = "goes on from the [quick start]"
# What workers do between the two.
MEANWHILE: Final[dict[str, Callable[[], None]]] = {"cookbook/reconcile.md": pay_out}
# Blocks that no test here carries out, by their first line, and why.
ELSEWHERE: Final[dict[tuple[str, str], str]] = {
    (START, "make demo        # in the repository, in another terminal"): "tests/end_to_end",
    (START, "set -a           # the Python examples read the same variables"): "below",
    ("invoices.md", "draft ──▶ pending ──▶ paid ──▶ refunded"): "a drawing",
    ("notifications.md", "POST /bursar"): "what your endpoint gets; its signature is of one moment",
    ("clients.md", "openapi-python-client generate --path docs/api/openapi.yaml \\"): "test_client",
    ("clients.md", "manage.py spectacular --file docs/api/openapi.yaml"): "test_client",
    ("clients.md", "import os"): "test_client",
    ("clients.md", "npx @openapitools/openapi-generator-cli@2 generate \\"): "it needs Java",
}


class Reader:
    """Somebody who does what the pages say, in one shell and one Python session."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.variables = {"BURSAR": f"{site.url}/api/v1", "TOKEN": site.token}
        self._session: dict[str, Any] = {"__name__": "__main__"}
        self._monkeypatch = monkeypatch

    def read(self, page: str) -> Iterator[str]:
        """Do everything on a page; tell where something else comes of it than the page says."""
        for example in examples(page):
            if _first_line(example.done) in ELSEWHERE:
                continue
            do = self._shell if example.done.language == "bash" else self._python
            answer = do(example)
            if example.said is not None:
                yield from filter(None, [difference(example.said, answer, self.variables)])

    def _shell(self, example: Example) -> requests.Response | str:
        """The last answer; all but one that is shown must be good ones."""
        *before, last = shell.run(example.done.text, self.variables)
        for outcome in before if example.said is not None else [*before, last]:
            assert outcome.answer is None or outcome.answer.ok, (
                f"{example.done.where}: {outcome.command}\n{outcome.answer.text}"
            )
        return last.text if last.answer is None else last.answer

    def _python(self, example: Example) -> str:
        """What is printed, which is shown or nothing."""
        block = example.done
        assert block.language == "python", f"{block.where}: no test knows {block.language!r}"
        for name, value in self.variables.items():
            self._monkeypatch.setenv(name, value)
        code = "\n" * block.line + block.text  # so that a traceback names the page's line
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, FOLDER / block.page, "exec"), self._session)  # noqa: S102
        text = printed.getvalue()
        assert example.said is not None or not text, f"{block.where}: it does not show\n{text}"
        return text

    def leave(self) -> None:
        """Let go of the connections that examples keep open for as long as a program runs."""
        for thing in self._session.values():
            for kept in (thing, getattr(thing, "_session", None)):
                if isinstance(kept, requests.Session):
                    kept.close()


@pytest.mark.parametrize("page", PAGES)
def test_everything_on_the_page_is_so(
    page: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(site, monkeypatch)
    text = (FOLDER / page).read_text(encoding="utf-8")

    before = list(reader.read(START)) if GOES_ON in " ".join(text.split()) else []
    MEANWHILE.get(page, lambda: None)()
    found = list(reader.read(page))
    reader.leave()

    assert not before + found, "\n\n" + "\n\n".join(before + found)


def test_the_first_block_finds_the_running_demo(tmp_path: Path) -> None:
    facts = {"url": "http://127.0.0.1:8000", "operator_token": "bsr_it"}
    (tmp_path / ".bursar").mkdir()
    (tmp_path / ".bursar" / "demo.json").write_text(json.dumps(facts))
    setting_up = next(block for block in blocks(START) if "BURSAR=" in block.text)
    asked = 'echo "$BURSAR" "$TOKEN" $(echo \'{"id": "7"}\' | keep id 2> /dev/null)'

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{setting_up.text}\n{asked}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("http://127.0.0.1:8000/api/v1 bsr_it 7\n", "")


def test_nothing_is_excused_that_is_not_there() -> None:
    found = [block for page in PAGES for block in blocks(page)]

    assert set(ELSEWHERE) <= {_first_line(block) for block in found}


def _first_line(block: Block) -> tuple[str, str]:
    return block.page, block.text.partition("\n")[0]
