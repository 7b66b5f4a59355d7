"""`manage.py reconcile`: our books against what the gateways have, for the last days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from billing import clock, tasks
from billing.core.errors import BillingError
from billing.gateways import registry
from billing.gateways.base import GatewayUnavailableError
from billing.services import reconciling
from billing.services.reconciling import Comparison


class Command(BaseCommand):
    """Mends what a lost notification left, and says what it cannot mend; then it fails."""

    help = "Compare the last days with the gateways, and mend what lost notifications left."

    def add_arguments(self, parser: CommandParser) -> None:
        """How far back, at which gateways, and whether in earnest."""
        parser.add_argument("--days", type=int, default=3, help="how far back; 3 if not given")
        parser.add_argument("--gateway", action="append", default=[], help="only this one")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what differs; change nothing"
        )
        parser.add_argument("--no-progress", action="store_true", help="show no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        """One gateway after the other; one that does not answer does not keep the others."""
        if options["days"] < 1:
            raise CommandError("--days is at least 1.")
        now = clock.now()
        since = now - timedelta(days=options["days"])
        left, silent = 0, []
        is_shown = self.stderr.isatty() and not options["no_progress"]
        with _progress(is_shown=is_shown) as progress:
            for name in options["gateway"] or sorted(registry.offered()):
                task = progress.add_task(name, total=None)
                try:
                    found = reconciling.reconcile(
                        name, since=since, now=now, is_dry_run=bool(options["dry_run"])
                    )
                except BillingError as error:
                    raise CommandError(error.detail) from None
                except GatewayUnavailableError:
                    silent.append(name)
                    continue
                finally:
                    progress.remove_task(task)
                tasks.collect_soon(found.attempts)
                left += self._say(found)
        if silent:
            raise CommandError(f"No answer from {', '.join(silent)}.")
        if left:
            raise CommandError(f"{left:,} differ.")

    def _say(self, found: Comparison) -> int:
        """What differed, line by line; how much of it still does."""
        for one in found.differences:
            ours, theirs = (text.lower().replace("_", " ") for text in (one.ours, one.theirs))
            ending = ", mended" if one.is_mended else ""
            self.stdout.write(
                f"{found.gateway}: {one.noun} {one.external_id} is {theirs} there and "
                f"{ours} here{ending}."
            )
        left = sum(not one.is_mended for one in found.differences)
        mended = len(found.differences) - left
        self.stdout.write(f"{found.gateway}: {found.seen:,} compared, {mended:,} mended.")
        return left


def _progress(*, is_shown: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not is_shown,
    )
