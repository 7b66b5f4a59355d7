"""`manage.py books_doc`: write `docs/books.md` from the code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.core import books

_ROOT: Final = Path(__file__).resolve().parents[3]
PAGE: Final = _ROOT / "docs" / "books.md"
SERVICES: Final = _ROOT / "billing" / "services"
# Kinds that are put together where they are entered, and from what.
_COMPOSED: Final = {
    "DISPUTE_LOST": "DISPUTE_",
    "DISPUTE_WON": "DISPUTE_",
    "USAGE_REPLACED": "replaced",
    "USAGE_WITHDRAWN": "withdrawn",
}


class Command(BaseCommand):
    """With `--check` nothing is written, and a page that is out of date is an error."""

    help = "Write docs/books.md: the chart of accounts, and what each fact moves."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to look only."""
        parser.add_argument("--check", action="store_true", help="only say if it is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it, or compare."""
        text = books.page(entered_by())
        if options["check"]:
            if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
                raise CommandError("docs/books.md is out of date: run `manage.py books_doc`.")
            return
        PAGE.write_text(text, encoding="utf-8")
        self.stdout.write(f"{PAGE} is written.")


def entered_by() -> dict[str, list[str]]:
    """Kind → the services in whose text it stands."""
    found: dict[str, list[str]] = {}
    for path in sorted(SERVICES.glob("*.py")):
        texts = texts_in(path)
        for known in books.FACTS:
            if {known.kind, _COMPOSED.get(known.kind, known.kind)} & texts:
                found.setdefault(known.kind, []).append(path.stem)
    return found


def texts_in(path: Path) -> set[str]:
    """The strings of a module."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}
