"""`manage.py notifications_doc`: write the tables of `docs/notifications.md` from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.core import event_pages

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "notifications.md"


class Command(BaseCommand):
    """With `--check` nothing is written, and a page that is out of date is an error."""

    help = "Write the tables of docs/notifications.md: types of notifications and their fields."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to look only."""
        parser.add_argument("--check", action="store_true", help="only say if it is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them, or compare."""
        page = PAGE.read_text(encoding="utf-8")
        text = event_pages.within(page)
        if options["check"]:
            if page != text:
                raise CommandError("It is out of date: run `manage.py notifications_doc`.")
            return
        PAGE.write_text(text, encoding="utf-8")
        self.stdout.write(f"{PAGE} is written.")
