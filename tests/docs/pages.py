"""The pages of `docs/api/`, and what they say next to what is so.

A `bash` or `python` block is carried out; the block after it, if it is one of `json`, `http` or
`text`, is what its last command answers or prints. In that, `$NAME` is the variable, and an `…`
stands for what differs each time. Of an object the fields that are shown are compared, of a list
all of it, unless it ends in an `…`.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "api"
ANSWERS: Final = frozenset({"json", "http", "text"})
CUT: Final = "…"
_BLOCK: Final = re.compile(r"^```(\w*) ?(.*?)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAME: Final = re.compile(r"\$([A-Z]\w*)")


@dataclass(frozen=True)
class Block:
    """A fenced block, and the line of its page that it begins at."""

    page: str
    language: str
    text: str
    line: int

    @property
    def where(self) -> str:
        """Its place, as editors take it."""
        return f"docs/api/{self.page}:{self.line}"


@dataclass(frozen=True)
class Example:
    """What is carried out, and what the page says comes of it."""

    done: Block
    said: Block | None


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    return [
        Block(page, found[1], found[3], text.count("\n", 0, found.start()) + 1)
        for found in _BLOCK.finditer(text)
    ]


def examples(page: str) -> list[Example]:
    """The page's blocks, each with the answer that follows it."""
    found: list[Example] = []
    for block in blocks(page):
        if block.language not in ANSWERS:
            found.append(Example(block, None))
            continue
        assert found, f"{block.where}: an answer to nothing"
        assert found[-1].said is None, f"{block.where}: two answers to one thing"
        found[-1] = Example(found[-1].done, block)
    return found


def difference(said: Block, answer: requests.Response | str, variables: Mapping[str, str]) -> str:
    """How an answer differs from what the page says; empty where it does not."""
    text = _NAME.sub(lambda name: variables.get(name[1], name[0]), said.text)
    if isinstance(answer, str):
        expected, actual = restored(text, answer), answer
    elif said.language == "http":
        expected, actual = _with_head(text, answer)
    elif said.language == "text":
        expected, actual = restored(text, answer.text), answer.text
    else:
        expected, actual = _bodies(text, answer)
    if expected == actual:
        return ""
    lines = difflib.ndiff(expected.splitlines(), actual.splitlines())
    kept = "\n".join(line for line in lines if not line.startswith("?"))
    return f"{said.where}: - the page, + the answer\n{kept}"


def restored(said: Any, actual: Any) -> Any:
    """What is said, in which what is cut is as it was answered."""
    if isinstance(said, str) and isinstance(actual, str):
        pattern = r"\S+".join(re.escape(part) for part in said.split(CUT))
        return actual if re.fullmatch(pattern, actual) else said
    if isinstance(said, dict) and isinstance(actual, dict):
        return {name: restored(value, actual.get(name)) for name, value in said.items()}
    if isinstance(said, list) and isinstance(actual, list):
        begun = said[:-1] if said[-1:] == [CUT] else said
        return [
            restored(value, actual[at] if at < len(actual) else None)
            for at, value in enumerate(begun)
        ]
    return said


def restricted(actual: Any, said: Any) -> Any:
    """Of an answer, what is said of it."""
    if isinstance(actual, dict) and isinstance(said, dict):
        return {name: restricted(actual.get(name, "is not there"), said[name]) for name in said}
    if isinstance(actual, list) and isinstance(said, list):
        is_cut = said[-1:] == [CUT]
        begun = said[:-1] if is_cut else said
        pairs = zip(actual, begun, strict=False)
        rest = [] if is_cut else actual[len(begun) :]
        return [restricted(*pair) for pair in pairs] + rest
    return actual


def _bodies(text: str, answer: requests.Response) -> tuple[str, str]:
    said, body = json.loads(text), answer.json() if answer.content else None
    is_refused = isinstance(said, dict) and isinstance(said.get("status"), int)
    if answer.ok == is_refused:
        return _pretty(said), f"{answer.status_code}\n{_pretty(body)}"
    return _pretty(restored(said, body)), _pretty(restricted(body, said))


def _with_head(text: str, answer: requests.Response) -> tuple[str, str]:
    """The status, the headers that are shown, and the body."""
    head, _, body = text.partition("\n\n")
    status, *lines = head.strip().splitlines()
    names = [line.partition(":")[0] for line in lines]
    actual = [
        f"{status.split()[0]} {answer.status_code} {answer.reason}",
        *(f"{name}: {answer.headers.get(name, 'is not there')}" for name in names),
    ]
    expected = [restored(*pair) for pair in zip([status, *lines], actual, strict=True)]
    if not body.strip():
        return "\n".join(expected), "\n".join(actual) + answer.text
    said = json.loads(body)
    found = answer.json()
    expected.append(_pretty(restored(said, found)))
    return "\n".join(expected), "\n".join([*actual, _pretty(restricted(found, said))])


def _pretty(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
