"""An invoice that is paid in parts: how much of it is due by when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from billing.core.errors import InvalidError
from billing.core.money import Money, allocate, total
from billing.core.periods import Cadence
from plans.terms import Alignment, Interval


@dataclass(frozen=True, slots=True)
class Part:
    """An instalment."""

    amount: Money
    due_at: datetime


def due_now(owed: Money, parts: Sequence[Part], *, now: datetime) -> Money:
    """What of an invoice is to be paid by now; without instalments, all that is owed.

    Whatever was paid has settled the earliest parts first.

    :param parts: in the order they are due; together, what the invoice asks for.
    """
    if not parts:
        return owed
    later = total((part.amount for part in parts if part.due_at > now), owed.currency)
    return max(owed - later, Money.zero(owed.currency))


def next_due(owed: Money, parts: Sequence[Part]) -> Part | None:
    """The first part that is not paid whole, with what is left of it."""
    settled = total((part.amount for part in parts), owed.currency) - owed
    for part in parts:
        if settled < part.amount:
            return Part(part.amount - max(settled, Money.zero(owed.currency)), part.due_at)
        settled -= part.amount
    return None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Equal parts, one interval after the other.

    :param count: how many parts.
    """

    count: int
    first_due_at: datetime
    interval: Interval


def spread(owed: Money, rhythm: Rhythm, *, zone: ZoneInfo) -> list[Part]:
    """Equal parts of what is owed, which sum to it exactly; the earlier ones take what is odd.

    :raises InvalidError: if there are fewer minor units than parts.
    """
    if not 0 < rhythm.count <= owed.minor:
        raise InvalidError(
            f"{owed} cannot be paid in {rhythm.count} parts.", code="invalid_instalments"
        )
    days = Cadence(rhythm.first_due_at, rhythm.interval, 1, Alignment.ANNIVERSARY, zone)
    amounts = allocate(owed, [1] * rhythm.count)
    return [Part(amount, days.boundary(index)) for index, amount in enumerate(amounts)]


def require_sound(owed: Money, parts: Sequence[Part], *, since: datetime) -> None:
    """Refuse parts that are not, in their order, exactly what is owed.

    :param since: when the invoice was issued.
    :raises InvalidError: with code `invalid_instalments`.
    """
    due = [part.due_at for part in parts]
    faults = [
        (not parts or any(part.amount.minor <= 0 for part in parts), "Each part asks for money."),
        (sorted(set(due)) != due, "Each part is due after the one before."),
        (bool(due) and due[0] < since, "No part is due before the invoice was issued."),
        (
            total((part.amount for part in parts), owed.currency) != owed,
            f"Together they are what is owed: {owed}.",
        ),
    ]
    for is_fault, sentence in faults:
        if is_fault:
            raise InvalidError(
                sentence, code="invalid_instalments", errors={"instalments": [sentence]}
            )


def paid(owed: Money, parts: Sequence[Part]) -> list[Money]:
    """What of each part is paid, the earliest first."""
    zero = Money.zero(owed.currency)
    settled = max(total((part.amount for part in parts), owed.currency) - owed, zero)
    found = []
    for part in parts:
        found.append(min(settled, part.amount))
        settled -= found[-1]
    return found


def lessened(parts: Sequence[Part], by: Money) -> list[Part]:
    """Parts after less is asked for: the last ones shrink first, and go where nothing is left."""
    left = []
    for part in reversed(parts):
        taken = min(part.amount, by)
        by -= taken
        if part.amount != taken:
            left.append(Part(part.amount - taken, part.due_at))
    return left[::-1]
