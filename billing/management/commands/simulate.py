"""`manage.py simulate`: what the coming months bring, storing nothing."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO, TextIOWrapper
from itertools import count
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from billing import clock
from billing.core import figures
from billing.core.errors import NotFoundError
from billing.core.invoicing import Line
from billing.queries import simulation
from billing.queries.prospects import Basis
from billing.queries.simulation import Months, Simulated, Sums
from plans.models import Plan

MOST_MONTHS: Final = 120
COLUMNS: Final = (
    "customer",
    "subscription",
    "invoice",
    "at",
    "plan",
    "kind",
    "component",
    "description",
    "period_start",
    "period_end",
    "quantity",
    "amount",
    "discount",
    "net",
    "currency",
)
Write = Callable[[Iterable[Sequence[str]]], object]
_STORED_PLACES: Final = Decimal("1e-12")  # as an invoice stores its quantities
_WIDE: Final = 200


class Command(BaseCommand):
    """The whole run is one read-only transaction on one snapshot."""

    help = "Foresee the invoices of the coming months, for some or all customers. Stores nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """For whom, how far, on which usage, and where to."""
        parser.add_argument("--months", type=int, default=12, help="how far ahead; 12 if not said")
        parser.add_argument(
            "--customer",
            action="append",
            default=[],
            metavar="ID",
            help="only this one, by id or organization id; may be repeated",
        )
        parser.add_argument(
            "--plan",
            action="append",
            default=[],
            metavar="PLAN",
            help="only subscriptions to this one, by id or name; may be repeated",
        )
        parser.add_argument(
            "--usage",
            choices=[basis.value for basis in Basis],
            default=Basis.LAST.value,
            help="what coming periods count: as the last closed one, nothing, or the average of"
            " the last three",
        )
        parser.add_argument(
            "--csv", metavar="FILE", help="write every invoice line there; “-” for the output"
        )
        parser.add_argument("--no-progress", action="store_true", help="show no progress bar")

    def handle(self, *args: Any, **options: Any) -> None:
        """Simulate. The table gives way to standard error where the CSV goes to the output."""
        if not 1 <= options["months"] <= MOST_MONTHS:
            raise CommandError(f"--months is from 1 to {MOST_MONTHS}.")
        now = clock.now()
        try:
            with _reading():
                months, odd, counted = self._run(options, now)
        except NotFoundError as error:
            raise CommandError(error.detail) from None
        report = self.stderr if options["csv"] == "-" else self.stdout
        report.write(_table(months), str)
        report.write(f"{counted:,} subscriptions; {len(odd):,} of them cannot be foreseen.", str)
        for simulated in odd:
            row = simulated.subscription
            report.write(f"{row.customer.organization_id} ({row.pk}): {simulated.reason}", str)

    def _run(self, options: dict[str, Any], now: datetime) -> tuple[Months, list[Simulated], int]:
        rows = simulation.selected(options["customer"], options["plan"])
        is_shown = self.stderr.isatty() and not options["no_progress"]
        plans = {str(pk): name for pk, name in Plan.objects.values_list("pk", "name")}
        numbers, months, counted = count(1), Months(), 0
        odd: list[Simulated] = []
        with self._csv(options["csv"]) as write, _progress(is_shown=is_shown) as progress:
            task = progress.add_task("Simulating", total=rows.count())
            for simulated in simulation.simulate(
                rows, months=options["months"], basis=Basis(options["usage"]), now=now
            ):
                counted += 1
                months.add(simulated)
                write(_lines(simulated, numbers, plans))
                if simulated.reason:
                    odd.append(simulated)
                progress.advance(task)
        return months, odd, counted

    @contextmanager
    def _csv(self, target: str | None) -> Iterator[Write]:
        """What rows are written by, under their heading; nowhere, if nobody asked for them."""
        if target is None:
            yield lambda _rows: None
        elif target == "-":
            yield _heading(self.stdout)
        else:
            with _opened(Path(target)) as file:
                yield _heading(file)


@contextmanager
def _reading() -> Iterator[None]:
    """One snapshot of everything, in which PostgreSQL refuses whatever would write."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _progress(*, is_shown: bool) -> Progress:
    """A bar on standard error, gone when it is done."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not is_shown,
    )


def _opened(path: Path) -> TextIOWrapper:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None


def _heading(file: Any) -> Write:
    """Begin a CSV in whatever has `write`; gives what its rows are written by."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    return writer.writerows


def _lines(
    simulated: Simulated, numbers: Iterator[int], plans: Mapping[str, str]
) -> Iterator[Sequence[str]]:
    """The lines of a subscription's bills, as the CSV has them."""
    subscription = simulated.subscription
    whose = (subscription.customer.organization_id, str(subscription.pk))
    for foreseen in simulated.bills:
        number, at = str(next(numbers)), _instant(foreseen.at)
        for line in foreseen.bill.lines:
            yield (*whose, number, at, plans.get(line.plan, ""), *_cells(line))


def _cells(line: Line) -> Sequence[str]:
    """What a line says by itself."""
    exact = Decimal(line.quantity.numerator) / Decimal(line.quantity.denominator)
    return (
        line.kind,
        line.component,
        line.description,
        _instant(line.period.start) if line.period else "",
        _instant(line.period.end) if line.period else "",
        figures.plain(exact.quantize(_STORED_PLACES)),
        f"{line.amount.major:f}",
        f"{line.discount.major:f}",
        f"{line.net.major:f}",
        line.amount.currency,
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _table(months: Months) -> str:
    """A row for each month and currency, and one for each currency's total."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Month")
    table.add_column("Currency")
    for name in ("Invoices", "Subtotal", "Discount", "Total"):
        table.add_column(name, justify="right")
    for month, currency, sums in months.rows:
        table.add_row(month, currency, *_figures(sums, currency))
    table.add_section()
    for currency, sums in months.totals:
        table.add_row("Total", currency, *_figures(sums, currency))
    text = StringIO()
    Console(file=text, width=_WIDE, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _figures(sums: Sums, currency: str) -> Iterator[str]:
    yield f"{sums.invoices:,}"
    for amount in sums.amounts(currency):
        yield f"{amount.major:,f}"
