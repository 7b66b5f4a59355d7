"""Business fact → balanced journal postings. One rule per fact, named after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from billing.core.money import Money


class Side(StrEnum):
    """Debits come first."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


class AccountKind(StrEnum):
    """The five kinds of double entry."""

    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    EQUITY = "EQUITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart by its code: `receivables`, `cash:stripe`."""

    code: str
    kind: AccountKind


RECEIVABLES = Account("receivables", AccountKind.ASSET)
REVENUE = Account("revenue", AccountKind.INCOME)


def cash(gateway: str) -> Account:
    """The money a gateway holds for us."""
    return Account(f"cash:{gateway}", AccountKind.ASSET)


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry; the amount is positive."""

    account: Account
    side: Side
    amount: Money


def invoice_finalized(total: Money) -> list[Posting]:
    """The customer owes the total; we have earned it. Nothing is posted for a zero invoice."""
    return _pair(RECEIVABLES, REVENUE, total)


def payment_received(amount: Money, *, gateway: str) -> list[Posting]:
    """A gateway has taken the money, and the customer owes that much less."""
    return _pair(cash(gateway), RECEIVABLES, amount)


def invoice_canceled(total: Money) -> list[Posting]:
    """What `invoice_finalized` posted, taken back."""
    return _pair(REVENUE, RECEIVABLES, total)


def is_balanced(postings: Sequence[Posting]) -> bool:
    """Whether debits equal credits in every currency."""
    sums: dict[str, int] = {}
    for posting in postings:
        sign = 1 if posting.side == Side.DEBIT else -1
        currency = posting.amount.currency
        sums[currency] = sums.get(currency, 0) + sign * posting.amount.minor
    return not any(sums.values())


def _pair(debit: Account, credit: Account, amount: Money) -> list[Posting]:
    if not amount:
        return []
    return [Posting(debit, Side.DEBIT, amount), Posting(credit, Side.CREDIT, amount)]
