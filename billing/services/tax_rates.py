"""Loading rates of tax: all of a table or nothing of it, and never over what was invoiced."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Final

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from billing.core.errors import ConflictError, InvalidError
from billing.core.taxes import TaxCategory
from billing.models import InvoiceLine, TaxRate

BUNDLED: Final = Path(__file__).resolve().parent.parent / "tax_rates.csv"
COLUMNS: Final = (
    "country",
    "region",
    "tax_class",
    "percent",
    "starts_on",
    "ends_on",
    "source",
)
_DAY: Final = timedelta(days=1)
_CHANGING: Final = ("percent", "ends_on", "source")
_LOCK: Final = 7_262_019  # a number of ours: one load at a time
Key = tuple[str, str, str]


@dataclass(slots=True)
class Loaded:
    """What a table changed, each rate as a person reads it."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    unchanged: int = 0


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file.

    :raises InvalidError: if it cannot be read or has other columns.
    """
    try:
        with path.open(encoding="utf-8", newline="") as table:
            reader = csv.DictReader(table, strict=True)
            columns, rows = tuple(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidError(f"{path} cannot be read: {error}", code="invalid_tax_rates") from None
    if columns != COLUMNS:
        raise InvalidError(f"The columns must be: {','.join(COLUMNS)}.", code="invalid_tax_rates")
    return rows


def load(rows: Sequence[Mapping[str, str]], *, is_rehearsal: bool = False) -> Loaded:
    """Take in rates, as texts by their columns; what is not named stays.

    A rate that has no end yet ends the day before the next one of its place and class begins.

    :param is_rehearsal: only say what would change.
    :raises InvalidError: naming every row at fault, or rates that overlap.
    :raises ConflictError: if a percentage would change that invoices state already.
    """
    parsed = _parsed(rows)
    loaded = Loaded()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        stored = list(TaxRate.objects.all())
        _close(parsed, stored)
        _store(parsed, stored, loaded)
        keys = {_key(rate) for rate in parsed}
        _end_the_superseded(keys, loaded)
        _require_no_overlap(keys)
        transaction.set_rollback(is_rehearsal)
    return loaded


def _parsed(rows: Sequence[Mapping[str, str]]) -> list[TaxRate]:
    """Every row as a rate.

    :raises InvalidError: naming every row at fault by its line in the file.
    """
    found, errors = [], {}
    seen: dict[tuple[Key, date], int] = {}
    for line, row in enumerate(rows, start=2):
        try:
            rate = _rate(row)
        except (ValidationError, ValueError, InvalidOperation, TypeError) as fault:
            errors[f"line {line}"] = _texts(fault)
            continue
        first = seen.setdefault((_key(rate), rate.starts_on), line)
        if first != line:
            errors[f"line {line}"] = [f"The same rate as in line {first}."]
        found.append(rate)
    if errors:
        told = " ".join(f"{line}: {' '.join(texts)}" for line, texts in errors.items())
        raise InvalidError(told, code="invalid_tax_rates", errors=errors)
    return found


def _rate(row: Mapping[str, str]) -> TaxRate:
    rate = TaxRate(
        country=row["country"],
        region=row["region"],
        tax_class=row["tax_class"],
        percent=Decimal(row["percent"]),
        starts_on=date.fromisoformat(row["starts_on"]),
        ends_on=date.fromisoformat(row["ends_on"]) if row["ends_on"] else None,
        source=row["source"],
    )
    rate.clean_fields()
    if not (len(rate.country) == len("GB") and rate.country.isalpha() and rate.country.isupper()):
        raise ValidationError(f"{rate.country!r} is no ISO 3166 code.")
    if not 0 <= rate.percent <= 100:
        raise ValidationError(f"{rate.percent} is no percentage.")
    if rate.ends_on is not None and rate.ends_on < rate.starts_on:
        raise ValidationError("It ends before it begins.")
    return rate


def _texts(fault: Exception) -> list[str]:
    """What is wrong with a row."""
    if isinstance(fault, ValidationError):
        return list(fault.messages)
    if isinstance(fault, ValueError):
        return [f"{fault}."]
    return ["The percentage is no number." if isinstance(fault, InvalidOperation) else "Too short."]


def _close(rates: Sequence[TaxRate], stored: Sequence[TaxRate]) -> None:
    """Give the rates that a table leaves open the end that the next one makes of them."""
    starts: dict[Key, set[date]] = {}
    for each in (*rates, *stored):
        starts.setdefault(_key(each), set()).add(each.starts_on)
    for rate in rates:
        later = [start for start in starts[_key(rate)] if start > rate.starts_on]
        if rate.ends_on is None and later:
            rate.ends_on = min(later) - _DAY


def _store(rates: Sequence[TaxRate], stored: Sequence[TaxRate], loaded: Loaded) -> None:
    known = {(_key(row), row.starts_on): row for row in stored}
    for rate in rates:
        row = known.get((_key(rate), rate.starts_on))
        if row is None:
            rate.save()
            loaded.added.append(_told(rate))
        elif all(getattr(row, name) == getattr(rate, name) for name in _CHANGING):
            loaded.unchanged += 1
        else:
            _change(row, rate, loaded)


def _change(row: TaxRate, rate: TaxRate, loaded: Loaded) -> None:
    """Where the percentage stays, the rest may change: documents keep what they say."""
    if row.percent != rate.percent and _is_invoiced(row):
        raise ConflictError(
            f"Invoices state {_told(row)} already. Let it end, and add the new one from then on.",
            code="tax_rate_used",
        )
    is_ended = row.percent == rate.percent and row.ends_on != rate.ends_on
    for name in _CHANGING:
        setattr(row, name, getattr(rate, name))
    row.save()
    (loaded.ended if is_ended else loaded.changed).append(_told(row))


def _is_invoiced(row: TaxRate) -> bool:
    """Whether a finalized document bears it, under whatever class it came to that."""
    lines = InvoiceLine.objects.filter(
        invoice__issued_at__date__gte=row.starts_on,
        tax_category=TaxCategory.STANDARD if row.percent else TaxCategory.ZERO,
        tax_country=row.country,
        tax_region=row.region,
        tax_rate=row.percent,
    )
    if row.ends_on is not None:
        lines = lines.filter(invoice__issued_at__date__lte=row.ends_on)
    return lines.exists()


def _end_the_superseded(keys: set[Key], loaded: Loaded) -> None:
    """End the stored rates that the table does not name and that one of its own follows."""
    for rows in _by_key(keys).values():
        for before, after in pairwise(rows):
            if before.ends_on is None:
                before.ends_on = after.starts_on - _DAY
                before.save(update_fields=["ends_on"])
                loaded.ended.append(_told(before))


def _require_no_overlap(keys: set[Key]) -> None:
    for rows in _by_key(keys).values():
        for before, after in pairwise(rows):
            if before.ends_on is not None and before.ends_on >= after.starts_on:
                raise InvalidError(
                    f"{_told(before)} overlaps {_told(after)}.", code="invalid_tax_rates"
                )


def _by_key(keys: set[Key]) -> dict[Key, list[TaxRate]]:
    """The rates of places and classes, in the order of their days."""
    found: dict[Key, list[TaxRate]] = {key: [] for key in keys}
    for row in TaxRate.objects.order_by("starts_on"):
        if _key(row) in found:
            found[_key(row)].append(row)
    return found


def _key(rate: TaxRate) -> Key:
    return rate.country, rate.region, rate.tax_class


def _told(rate: TaxRate) -> str:
    """`DE standard 19 % from 2021-01-01`."""
    place = rate.region or rate.country
    until = f" to {rate.ends_on}" if rate.ends_on else ""
    return f"{place} {rate.tax_class} {rate.percent.normalize():f} % from {rate.starts_on}{until}"
