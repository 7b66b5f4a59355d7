"""`docs/books.md` says what the code does, of every account, rule and kind of fact."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Final

import pytest

from billing.core import books, postings
from billing.core.postings import Account, Postings
from billing.management.commands.books_doc import PAGE, SERVICES, entered_by, texts_in

_A_KIND: Final = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
# Words of that shape in services that are no facts.
NO_KINDS: Final[frozenset[str]] = frozenset()


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == books.page(entered_by()), "run `manage.py books_doc`"


@pytest.mark.parametrize("known", books.FACTS, ids=lambda known: known.kind)
def test_every_example_moves_something_and_balances(known: books.Known) -> None:
    for _, rule in known.examples:
        assert rule()
        assert postings.is_balanced(rule())


def test_no_kind_is_told_twice() -> None:
    assert len(books.KINDS) == len(books.FACTS)


def test_every_posting_rule_is_run() -> None:
    """By its name: the page's module calls each function of `postings` that makes an entry."""
    rules = {
        name
        for name, rule in inspect.getmembers(postings, inspect.isfunction)
        if inspect.signature(rule).return_annotation == "Postings" and not name.startswith("_")
    } - {"debit", "credit", "mirrored"}
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(inspect.getsource(books)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }

    assert len(rules) > 20
    assert rules <= called, "tell of them in billing/core/books.py"


def test_every_account_is_in_the_chart() -> None:
    told = {account.code for account, _ in books._CHART}
    constants = {value.code for value in vars(postings).values() if isinstance(value, Account)}
    used = {posting.account.code for rule in _rules() for posting in rule}

    assert constants | used <= told


@pytest.mark.parametrize("path", sorted(SERVICES.glob("*.py")), ids=lambda path: path.stem)
def test_every_kind_that_services_enter_is_told(path: Path) -> None:
    found = {text for text in texts_in(path) if _A_KIND.fullmatch(text)}

    assert found - NO_KINDS <= books.KINDS, "tell of them in billing/core/books.py"


def _rules() -> list[Postings]:
    return [rule() for known in books.FACTS for _, rule in known.examples]
