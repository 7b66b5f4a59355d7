"""What is exported, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from billing.core.money import Money
from billing.core.postings import Account, Side


@dataclass(frozen=True, slots=True)
class ExportedLine:
    """One side of an entry, with the number of the invoice it is owed or paid on."""

    account: Account
    side: Side
    amount: Money
    invoice_id: UUID | None = None
    invoice_number: str = ""

    @property
    def signed(self) -> Money:
        """Debits positive, credits negative."""
        return self.amount if self.side == Side.DEBIT else -self.amount


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """A fact with what it moved; see `billing.models.JournalEntry`."""

    id: UUID
    kind: str
    customer_id: UUID | None
    source_kind: str
    source_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    key: str
    context: Mapping[str, Any]
    lines: Sequence[ExportedLine] = ()


@dataclass(frozen=True, slots=True)
class AccountTotals:
    """What one account moved in one currency. Balances are debits less credits.

    So what is owned or spent is positive, what is owed or earned negative, and all of a
    currency's balances sum to nothing.
    """

    account: Account
    currency: str
    opening_minor: int
    debit_minor: int
    credit_minor: int

    @property
    def opening(self) -> Money:
        """What was there before."""
        return Money(self.opening_minor, self.currency)

    @property
    def debit(self) -> Money:
        """All debits."""
        return Money(self.debit_minor, self.currency)

    @property
    def credit(self) -> Money:
        """All credits, as a positive amount."""
        return Money(self.credit_minor, self.currency)

    @property
    def closing(self) -> Money:
        """What is there afterwards."""
        return self.opening + self.debit - self.credit


def instant(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def plain(amount: Money) -> str:
    """An amount with its currency's decimals and nothing else."""
    return f"{amount.major:f}"
