"""`manage.py export journal --format beancount > journal.beancount`: the books, as files."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from billing.api import documents
from billing.core.exporting import tables
from billing.core.lifecycle import InvoiceStatus
from billing.queries import exports
from billing.queries.exports import Documents, Form, Selection
from customers.models import Customer

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class Command(BaseCommand):
    """What `/exports` streams, to a file or to the output."""

    help = "Export the journal, a month's totals per account, or the invoices as a ZIP."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, of when and of whom, and where to."""
        parser.add_argument("what", choices=["journal", "totals", "invoices"])
        parser.add_argument(
            "--format",
            choices=[form.value.lower() for form in Form],
            default=Form.CSV.value.lower(),
            help="of the journal; totals are CSV, invoices a ZIP",
        )
        parser.add_argument("--from", dest="start", metavar="DATE", help="that day included")
        parser.add_argument("--to", dest="end", metavar="DATE", help="that day not included")
        parser.add_argument("--month", metavar="YYYY-MM", help="of the totals")
        parser.add_argument("--customer", metavar="ID", help="an id, or an organization's")
        parser.add_argument("--kind", help="only journal entries of this kind")
        parser.add_argument(
            "--status",
            choices=[status.value.lower() for status in InvoiceStatus],
            help="only invoices that have it",
        )
        parser.add_argument("--output", default="-", metavar="FILE", help="“-” for the output")
        parser.add_argument("--no-progress", action="store_true", help="show no progress bar")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        written(_content(options), options, stdout=self.stdout)


def written(content: Iterable[bytes], options: Mapping[str, Any], *, stdout: Any) -> None:
    """Write what is streamed to `--output`, showing how much it was.

    :raises CommandError: if that file cannot be written.
    """
    target = options["output"]
    is_shown = target != "-" and sys.stderr.isatty() and not options["no_progress"]
    with _opened(target, stdout) as file, _progress(is_shown=is_shown) as progress:
        task = progress.add_task("Exporting", total=None)
        for piece in content:
            file.write(piece)
            progress.advance(task, len(piece))


def customer_named(text: str) -> UUID:
    """The customer of that id or organization.

    :raises CommandError: if there is none.
    """
    try:
        rows = Customer.objects.filter(pk=UUID(text))
    except ValueError:
        rows = Customer.objects.filter(organization_id=text)
    found = rows.values_list("pk", flat=True).first()
    if found is None:
        raise CommandError(f"There is no customer {text!r}.")
    return found


@contextmanager
def _opened(target: str, stdout: Any) -> Iterator[Any]:
    """What takes bytes."""
    if target == "-":
        yield _Output(stdout)
        return
    with _file(Path(target)) as file:
        yield file


class _Output:
    """The output as something that takes bytes, also where it is text only."""

    def __init__(self, stream: Any) -> None:
        inner = getattr(stream, "_out", stream)  # Django's wrapper adds ends of lines
        self._binary: BinaryIO | None = getattr(inner, "buffer", None)
        self._text = inner

    def write(self, piece: bytes) -> None:
        if self._binary is not None:
            self._binary.write(piece)
        else:
            self._text.write(piece.decode())


def _file(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None


def _content(options: dict[str, Any]) -> Iterator[bytes]:
    start, end = _instant(options, "start", "--from"), _instant(options, "end", "--to")
    customer_id = customer_named(options["customer"]) if options["customer"] else None
    if options["what"] == "totals":
        return iter([_totals(options["month"])])
    if options["what"] == "invoices":
        status = options["status"].upper() if options["status"] else None
        return documents.archive(Documents(start, end, customer_id, status))
    kind = options["kind"].upper() if options["kind"] else None
    selection = Selection(start, end, customer_id, kind)
    return exports.journal(selection, Form(options["format"].upper()))


def _totals(month: str | None) -> bytes:
    if month is None or not _MONTH.fullmatch(month):
        raise CommandError("Totals are of a --month, like 2026-04.")
    found = exports.of_month(date.fromisoformat(f"{month}-01"))
    rows = [tables.TOTALS_COLUMNS, *(tables.totals_row(month, row) for row in found)]
    return tables.text_of(rows).encode()


def _instant(options: dict[str, Any], name: str, flag: str) -> datetime | None:
    """The beginning of a day in UTC."""
    if options[name] is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(options[name]), datetime.min.time(), UTC)
    except ValueError:
        raise CommandError(f"{flag} is a date, like 2026-04-01.") from None


def _progress(*, is_shown: bool) -> Progress:
    """How much was written, on standard error, gone when it is done."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not is_shown,
    )
