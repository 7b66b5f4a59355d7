"""What gateways paid out, against what we know of: each line beside the row that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from billing.core.lifecycle import MovementKind
from billing.core.money import Money
from billing.models import Dispute, GatewayMovement, GatewayPayout, Payment, Refund


class SourceKind(StrEnum):
    """What a line is about."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"


@dataclass(frozen=True, slots=True)
class Source:
    """A row of ours that a line is about."""

    kind: SourceKind
    pk: UUID
    amount: Money


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some lines: how many, what they brought before fees, and the fees."""

    count: int
    gross: Money
    fees: Money

    @property
    def net(self) -> Money:
        """What they brought."""
        return self.gross - self.fees


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the gateway's account, and the row of ours that it is about."""

    movement: GatewayMovement
    source: Source | None

    @property
    def net(self) -> Money:
        """What it brought."""
        return self.movement.amount - self.movement.fee

    @property
    def is_matched(self) -> bool:
        """Whether we know of it, and of the same amount where it is in the same currency.

        A fee by itself is about nothing and explains itself.
        """
        if self.source is None:
            return self.movement.kind in _ABOUT_NOTHING and not self.movement.source_external_id
        theirs, ours = self.movement.amount, self.source.amount
        return theirs.currency != ours.currency or abs(theirs.minor) == ours.minor


@dataclass(frozen=True, slots=True)
class Report:
    """A payout and what it is made up of, oldest first."""

    payout: GatewayPayout
    sums: Sums
    lines: Sequence[Line]

    @property
    def difference(self) -> Money:
        """What was paid out above what its lines sum to."""
        return self.payout.amount - self.sums.net

    @property
    def unmatched(self) -> Sequence[Line]:
        """The lines that we do not know, or otherwise."""
        return [line for line in self.lines if not line.is_matched]

    def of_kind(self) -> Iterator[tuple[str, Sums]]:
        """The sums of each kind of line that there is."""
        for kind in MovementKind:
            rows = [line.movement for line in self.lines if line.movement.kind == kind]
            if rows:
                yield kind, _sums(self.payout, rows)


def summed(payouts: Sequence[GatewayPayout]) -> Mapping[UUID, Sums]:
    """What the lines of each sum to, in its currency; in one query for all."""
    rows = (
        GatewayMovement.objects.filter(payout__in=payouts, currency=F("payout__currency"))
        .values("payout")
        .annotate(
            count=Count("pk"),
            gross=Coalesce(Sum("amount_minor"), 0),
            fees=Coalesce(Sum("fee_minor"), 0),
        )
    )
    found = {row["payout"]: row for row in rows}
    return {
        payout.pk: Sums(
            found.get(payout.pk, _NOTHING)["count"],
            Money(int(found.get(payout.pk, _NOTHING)["gross"]), payout.currency),
            Money(int(found.get(payout.pk, _NOTHING)["fees"]), payout.currency),
        )
        for payout in payouts
    }


def report(payout: GatewayPayout) -> Report:
    """A payout line by line; in four queries, however many they are."""
    movements = list(GatewayMovement.objects.of(payout).order_by("occurred_at", "pk"))
    sources = _sources(payout)
    lines = [Line(row, sources.get(row.source_external_id)) for row in movements]
    return Report(payout, _sums(payout, movements), lines)


def _sums(payout: GatewayPayout, rows: Sequence[GatewayMovement]) -> Sums:
    """In the payout's currency; a line in another one cannot be part of it."""
    code = payout.currency
    own = [row for row in rows if row.currency == code]
    gross = Money(sum(row.amount_minor for row in own), code)
    return Sums(len(own), gross, Money(sum(row.fee_minor for row in own), code))


def _sources(payout: GatewayPayout) -> dict[str, Source]:
    """What the gateway calls it → our row."""
    named = (
        GatewayMovement.objects.of(payout)
        .exclude(source_external_id="")
        .values("source_external_id")
    )
    payments = Payment.objects.filter(
        gateway=payout.gateway, attempt__external_id__in=named
    ).values_list("attempt__external_id", "pk", "amount_minor", "currency")
    returned = {"payment__gateway": payout.gateway, "external_id__in": named}
    columns = ("external_id", "pk", "amount_minor", "currency")
    found = {
        SourceKind.PAYMENT: payments,
        SourceKind.REFUND: Refund.objects.filter(**returned).values_list(*columns),
        SourceKind.DISPUTE: Dispute.objects.filter(**returned).values_list(*columns),
    }
    return {
        external_id: Source(kind, pk, Money(minor, currency))
        for kind, rows in found.items()
        for external_id, pk, minor, currency in rows
    }


_ABOUT_NOTHING: Final = frozenset({MovementKind.FEE, MovementKind.PAYOUT})
_NOTHING: Final = {"count": 0, "gross": 0, "fees": 0}
