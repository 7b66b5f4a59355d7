"""What a page says and what is answered: where they differ, it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.docs import shell
from tests.docs.pages import Block, difference

SAID = """{"id": "$ID", "at": "…", "status": "paid", "lines": [{"amount": "1.00"}, "…"]}"""
ANSWERED = {
    "id": "7",
    "at": "2026-04-01T00:00:00Z",
    "status": "paid",
    "lines": [{"amount": "1.00"}, {"amount": "2.00"}],
    "more": "left out",
}


def answer(body: Any, status: int = 200) -> requests.Response:
    made = requests.Response()
    made.status_code, made.reason = status, "OK"
    made._content = json.dumps(body).encode()
    made.headers["ETag"] = '"1"'
    return made


def told(language: str, said: str, given: requests.Response | str) -> list[str]:
    block = Block("page.md", language, said, 7)
    return difference(block, given, {"ID": "7"}).splitlines()


def test_what_is_left_out_and_what_is_cut_is_no_difference() -> None:
    assert told("json", SAID, answer(ANSWERED)) == []


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"id": "8"}, '+   "id": "8",'),
        ({"at": ""}, '+   "at": "",'),
        ({"status": "pending"}, '+   "status": "pending"'),
        ({"lines": [{"amount": "3.00"}]}, '+       "amount": "3.00"'),
        ({"lines": []}, '+   "lines": [],'),
    ],
)
def test_anything_else_is_told_with_its_line(changed: dict[str, Any], line: str) -> None:
    found = told("json", SAID, answer({**ANSWERED, **changed}))

    assert found[0] == "docs/api/page.md:7: - the page, + the answer"
    assert line in found


def test_a_list_has_all_its_items() -> None:
    assert told("json", '{"lines": [{"amount": "1.00"}]}', answer(ANSWERED))


def test_a_refusal_is_no_answer_and_an_answer_no_refusal() -> None:
    refused = {"status": 409, "code": "conflict"}

    assert told("json", json.dumps(refused), answer(refused, 409)) == []
    assert told("json", '{"code": "conflict"}', answer(refused, 409))
    assert told("json", json.dumps(refused), answer(refused))


def test_heads_are_compared_by_the_headers_that_are_shown() -> None:
    assert told("http", 'HTTP/1.1 200 OK\nETag: "1"\n\n{"id": "7"}', answer(ANSWERED)) == []
    assert told("http", 'HTTP/1.1 200 OK\nETag: "2"\n\n{"id": "7"}', answer(ANSWERED))
    assert told("http", "HTTP/1.1 204 No Content\n", answer(ANSWERED))


def test_text_is_compared_whole() -> None:
    assert told("text", "took … s\n", "took 0.2 s\n") == []
    assert told("text", "took … s\n", "took 0.2 s\nand more\n")


def test_commands_are_split_as_a_shell_does() -> None:
    script = "A=1\n# a comment\ncurl -s \\\n  x --json '{\n}'\nB=$(curl -s y \\\n  | keep id)\n"

    assert shell.statements(script) == [
        "A=1",
        "curl -s    x --json '{\n}'",
        "B=$(curl -s y    | keep id)",
    ]


@pytest.mark.parametrize("command", ["rm -rf /", "curl -s --insecure x", "curl x"])
def test_what_the_pages_do_not_use_is_refused(command: str) -> None:
    with pytest.raises((AssertionError, SystemExit)):
        list(shell.run(command, {}))
