"""`manage.py rebuild`: what processors made of the journal, made anew from nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Sum
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from billing import clock
from billing.core.errors import BillingError
from billing.core.processors import all_processors
from billing.models import JournalBlock
from billing.services import processing, sealing


class Command(BaseCommand):
    """What there is serves until the new is done, so that readers notice nothing."""

    help = "Rebuild what processors derive from the journal: balances, statements, MRR and others."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and whether only to compare."""
        names = sorted(all_processors())
        parser.add_argument(
            "processors", nargs="*", metavar="processor", help=f"of {', '.join(names)}; all if none"
        )
        parser.add_argument(
            "--check", action="store_true", help="keep what there is, and say where it differs"
        )
        parser.add_argument("--no-progress", action="store_true", help="show no progress bar")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal first, so that everything that is committed is in it."""
        sealing.seal(now=clock.now())
        names = options["processors"] or sorted(all_processors())
        entries = JournalBlock.objects.aggregate(found=Sum("entries"))["found"] or 0
        run = self._compare if options["check"] else self._rebuild
        is_shown = self.stderr.isatty() and not options["no_progress"]
        different = 0
        with _progress(is_shown=is_shown) as progress:
            for name in names:
                task = progress.add_task(name, total=entries)
                try:
                    different += run(name, partial(progress.advance, task))
                except BillingError as error:
                    raise CommandError(error.detail) from None
        if different:
            raise CommandError(f"{different:,} values differ from their rebuild.")

    def _rebuild(self, name: str, progress: Callable[[int], None]) -> int:
        processing.rebuild(name, progress=progress)
        self.stdout.write(f"{name}: rebuilt.")
        return 0

    def _compare(self, name: str, progress: Callable[[int], None]) -> int:
        places = processing.differences(name, progress=progress)
        for place in places:
            self.stderr.write(f"{name}: {place} differs.")
        if not places:
            self.stdout.write(f"{name}: equal to its rebuild.")
        return len(places)


def _progress(*, is_shown: bool) -> Progress:
    """A bar on standard error for each processor."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not is_shown,
    )
