"""The books of the demonstration, taken away over HTTP: beancount proves their balances."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

from tests.end_to_end.conftest import Demo, wait_for
from tests.exporting import balances, bean_check


def export(demo: Demo, query: str) -> str:
    """The journal in a format."""
    answer = demo.call("GET", f"/exports/journal?{query}")
    assert answer.status == 200
    return str(answer.body)


def test_bean_check_accepts_the_books_of_the_demonstration(demo: Demo, tmp_path: Path) -> None:
    book = wait_for(lambda: _with_money(export(demo, "format=beancount")))

    assert bean_check(book, tmp_path) == ""
    lines = export(demo, "format=jsonl").splitlines()
    assert len(lines) >= book.count('\n  entry: "')
    assert all(json.loads(line)["occurred_at"] for line in lines)


def test_a_part_of_them_begins_with_what_was_there(demo: Demo, tmp_path: Path) -> None:
    book = wait_for(lambda: _with_money(export(demo, "format=beancount")))
    first = min(line[:10] for line in book.splitlines() if line[10:13] == " * ")

    later = export(demo, f"format=beancount&from={first}T23:59:59Z")

    assert bean_check(later, tmp_path) == ""
    assert balances(later).keys() >= balances(book).keys()


def test_who_hangs_up_disturbs_nobody(demo: Demo) -> None:
    for _ in range(30):  # more than the pool has connections
        request = Request(f"{demo.url}/api/v1/exports/journal?format=jsonl")
        request.add_header("Authorization", f"Bearer {demo.facts['operator_token']}")
        with urlopen(request, timeout=60) as response:
            response.read(10)

    assert demo.call("GET", "/journal").status == 200


def _with_money(book: str) -> str | None:
    """The book, once something was invoiced."""
    return book if "Assets:Receivables" in book else None
