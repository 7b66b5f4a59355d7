"""`manage.py load_tax_rates`: bring the rates of tax up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.core.errors import BillingError
from billing.services import tax_rates


class Command(BaseCommand):
    """Prints what was added, changed and ended. A table with a fault changes nothing."""

    help = "Load rates of tax: those that Bursar comes with, or those of a CSV file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which file, and whether in earnest."""
        parser.add_argument(
            "--file",
            metavar="CSV",
            default=str(tax_rates.BUNDLED),
            help=f"columns: {','.join(tax_rates.COLUMNS)}",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change; change nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load them."""
        is_rehearsal = bool(options["dry_run"])
        try:
            rows = tax_rates.read(Path(options["file"]))
            loaded = tax_rates.load(rows, is_rehearsal=is_rehearsal)
        except BillingError as error:
            raise CommandError(error.detail) from None
        for word, rates in (
            ("added", loaded.added),
            ("changed", loaded.changed),
            ("ended", loaded.ended),
        ):
            for rate in rates:
                self.stdout.write(f"{word}: {rate}")
        self.stdout.write(
            f"{len(loaded.added)} added, {len(loaded.changed)} changed, "
            f"{len(loaded.ended)} ended, {loaded.unchanged} as they were."
            + (" Nothing was stored." if is_rehearsal else "")
        )
