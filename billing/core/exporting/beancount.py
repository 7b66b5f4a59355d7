"""Text for beancount 3, which proves by itself that its balances are ours.

Every account is opened for the currencies it moved, what was there before is one transaction,
every entry that moved something is one more, and at the end each balance is asserted, to the
last minor unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Final

from billing.core.exporting.names import name_of
from billing.core.exporting.values import AccountTotals, ExportedEntry, instant, plain
from billing.core.money import Money, exponent

_NOT_IN_LINKS: Final = re.compile(r"[^A-Za-z0-9_/.-]+")
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def head(accounts: Sequence[AccountTotals], *, on: date) -> Iterator[str]:
    """The currencies and accounts that follow, opened on the first day."""
    yield 'option "title" "Bursar: the journal"\n\n'
    for currency in sorted({totals.currency for totals in accounts}):
        yield f"{on} commodity {currency}\n  decimals: {exponent(currency)}\n"
    for account, found in groupby(accounts, key=lambda totals: totals.account):
        currencies = ",".join(sorted(totals.currency for totals in found))
        yield f"{on} open {name_of(account)} {currencies}\n"
        yield f"  code: {quoted(account.code)}\n"
        if account.name:
            yield f"  name: {quoted(account.name)}\n"


def opening(accounts: Iterable[AccountTotals], *, on: date) -> str:
    """What was there before, as a transaction; nothing, if there was nothing."""
    postings = [
        _posting(name_of(totals.account), totals.opening) for totals in accounts if totals.opening
    ]
    return "".join((f'\n{on} * "Opening balances"\n', *postings)) if postings else ""


def transaction(entry: ExportedEntry) -> str:
    """An entry; nothing for one that moved nothing."""
    if not entry.lines:
        return ""
    numbers = dict.fromkeys(line.invoice_number for line in entry.lines if line.invoice_number)
    marks = [f" ^{_NOT_IN_LINKS.sub('-', number)}" for number in numbers]
    if entry.source_kind:
        marks.append(f" #{_NOT_IN_LINKS.sub('-', entry.source_kind)}")
    said = {
        "entry": str(entry.id),
        "key": entry.key,
        "customer": str(entry.customer_id or ""),
        "source": str(entry.source_id or ""),
        "occurred_at": instant(entry.occurred_at),
        "recorded_at": instant(entry.recorded_at),
    }
    return "".join(
        (
            f"\n{day(entry.occurred_at)} * {quoted(entry.kind.lower())}{''.join(marks)}\n",
            *(f"  {name}: {quoted(value)}\n" for name, value in said.items() if value),
            *(
                _posting(name_of(line.account), line.signed, invoice=line.invoice_number)
                for line in entry.lines
            ),
        )
    )


def assertions(accounts: Iterable[AccountTotals], *, on: date) -> Iterator[str]:
    """What every account must hold at the beginning of a day.

    Without a tolerance of nothing, beancount would let the last digit differ by one.
    """
    yield "\n"
    for totals in accounts:
        amount = f"{plain(totals.closing)} ~ 0 {totals.currency}"
        yield f"{on} balance {name_of(totals.account)} {amount}\n"


def day(at: datetime) -> date:
    """The day of an instant, in UTC."""
    return at.astimezone(UTC).date()


def quoted(text: str) -> str:
    """A string as beancount reads it."""
    return f'"{text.translate(_ESCAPES)}"'


def _posting(name: str, amount: Money, *, invoice: str = "") -> str:
    said = f"    invoice: {quoted(invoice)}\n" if invoice else ""
    return f"  {name} {plain(amount)} {amount.currency}\n{said}"
