"""What processors work on and how one looks: entries of the journal in, values by place out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from billing.core.money import Money
from billing.core.postings import Side

# What a place holds: anything that JSON keeps exactly.
Value = Any


class Place(NamedTuple):
    """Where a value is kept: by customer (`""` for all of them together) and key."""

    scope: str
    key: str


Values = Mapping[Place, Value | None]


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A posting as it was entered; the amount is positive.

    :param invoice: what it is owed or paid on.
    """

    account: str
    side: Side
    amount: Money
    invoice: UUID | None = None

    @property
    def signed(self) -> int:
        """Minor units, debits positive."""
        return self.amount.minor if self.side == Side.DEBIT else -self.amount.minor


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact of the journal.

    :param key: names the fact.
    :param source_kind: the kind of document it came of, and `source_id` which.
    """

    id: UUID
    kind: str
    key: str
    customer: UUID | None
    occurred_at: datetime
    context: Mapping[str, Any]
    lines: tuple[EntryLine, ...] = ()
    source_kind: str = ""
    source_id: UUID | None = None

    @property
    def scope(self) -> str:
        """Its customer's scope; what concerns nobody in particular falls into the common one."""
        return COMMON if self.customer is None else str(self.customer)


COMMON = ""


class Processor(Protocol):
    """Makes something of the journal, entry by entry.

    What it makes in a customer's scope follows from that customer's entries alone, so that a read
    can go on with those that are not digested yet. It must not depend on where a batch ends.
    """

    name: str

    def places(self, entry: Entry) -> Collection[Place]:
        """Which values an entry changes or is changed by; none if it means nothing here."""

    def fold(self, entry: Entry, before: Values) -> Values:
        """Those values after the entry; None for one that is gone.

        :param before: the values at `places`, None where there is none.
        """


def fold_into(
    processor: Processor, entry: Entry, values: MutableMapping[Place, Value | None]
) -> None:
    """Carry one entry into values that have been read; what is missing among them is None."""
    places = processor.places(entry)
    if places:
        values.update(processor.fold(entry, {place: values.get(place) for place in places}))
