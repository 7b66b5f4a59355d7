"""Where what is credited goes: off what is owed, back by the way it came, or to credit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from billing.core.errors import ConflictError
from billing.core.money import Money, total

# How long customers may refund what they paid by themselves (seed 002).
REFUND_PERIOD: Final = timedelta(days=7)


class Destination(StrEnum):
    """Where goes what was paid.

    BALANCE: it becomes the customer's credit. REFUND: it goes back by the payments it came by,
    newest first; what cannot becomes credit. AUTO: the same, but nobody has to pay out by hand:
    what no gateway gives back becomes credit, too.
    """

    BALANCE = "BALANCE"
    REFUND = "REFUND"
    AUTO = "AUTO"


@dataclass(frozen=True, slots=True)
class Origin:
    """A payment that what was paid came by.

    :param left: what of it can still go back.
    :param is_by_hand: whether only a person can give it back.
    """

    key: str
    left: Money
    is_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """What of a credit goes where.

    :param refunds: payment → what goes back by it.
    """

    to_due: Money
    to_credit: Money
    refunds: tuple[tuple[str, Money], ...] = ()

    @property
    def to_refund(self) -> Money:
        """All that goes back."""
        return total((amount for _, amount in self.refunds), self.to_due.currency)


def split(amount: Money, *, owed: Money, origins: Sequence[Origin], to: Destination) -> Split:
    """What is owed is lessened first; the rest was paid.

    :param origins: in the order in which they are given back.
    """
    to_due = min(amount, max(owed, Money.zero(amount.currency)))
    rest = amount - to_due
    refunds = []
    for origin in origins:
        if to == Destination.BALANCE or (to == Destination.AUTO and origin.is_by_hand):
            continue
        part = min(rest, origin.left)
        if part.minor > 0:
            refunds.append((origin.key, part))
            rest -= part
    return Split(to_due, rest, tuple(refunds))


def require_refund_period(paid_at: datetime, *, now: datetime) -> None:
    """Customers refund what they paid by themselves for a week.

    :raises ConflictError: afterwards.
    """
    if now > paid_at + REFUND_PERIOD:
        raise ConflictError(
            f"An invoice may be refunded within {REFUND_PERIOD.days} days of its payment.",
            code="refund_period_over",
        )
