"""The sandbox as a gateway that also tells of its fees and payouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import pytest

from billing.core.lifecycle import MovementKind, PayoutStatus
from billing.core.money import Money
from billing.gateways import registry
from billing.gateways.abilities import Movement, Payout
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import GatewayPayout
from billing.services import settlements


class Reporting(SandboxGateway):
    """It paid out once, and what that is made up of is given."""

    def __init__(self, payout: Payout, lines: Sequence[Movement]) -> None:
        self.payout = payout
        self.lines = lines

    def movements(self, since: datetime) -> Iterator[Movement]:
        yield from self.lines

    def payouts(self, since: datetime) -> Iterator[Payout]:
        yield self.payout

    def paid_out(self, payout_external_id: str) -> Iterator[Movement]:
        yield from self.lines


def line(
    about: str, gross: str, fee: str, *, now: datetime, kind: MovementKind = MovementKind.CHARGE
) -> Movement:
    """A line of its account, about one of its objects."""
    amounts = (Money.parse(gross, "USD"), Money.parse(fee, "USD"))
    return Movement(f"txn.{about}", kind, *amounts, now, about)


def take_over(amount: str, *lines: Movement, now: datetime) -> GatewayPayout:
    """Take over a payout of the sandbox's, made up of these lines."""
    payout = Payout("po_1", Money.parse(amount, "USD"), PayoutStatus.PAID, now)
    gateway = Reporting(payout, lines)
    with pytest.MonkeyPatch.context() as patch:
        offered = {**registry.offered(), "sandbox": gateway}
        patch.setattr(registry, "offered", lambda: offered)
        settlements.take_over("sandbox", since=now, now=now)
    return GatewayPayout.objects.get(external_id="po_1")
