from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from billing.core.errors import ConflictError
from billing.core.lifecycle import MovementKind, PayoutStatus
from billing.core.money import Money
from billing.gateways.abilities import Movement, Payout
from billing.gateways.base import GatewayUnavailableError
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import GatewayMovement, GatewayPayout, JournalEntry, JournalLine
from billing.services import settlements
from billing.services.settlements import Taken
from tests.offering import offer

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 3, tzinfo=UTC)
SINCE = datetime(2026, 4, 1, tzinfo=UTC)


@dataclass
class ReportingGateway(SandboxGateway):
    """Tells what it kept and paid out, by the page."""

    lines: list[Movement] = field(default_factory=list)
    sent: list[Payout] = field(default_factory=list)
    falls_silent_after: int = 1000

    def movements(self, since: datetime) -> Iterator[Movement]:
        assert since == SINCE
        for place, line in enumerate(self.lines):
            if place >= self.falls_silent_after:
                raise GatewayUnavailableError("no answer")
            yield line

    def payouts(self, since: datetime) -> Iterator[Payout]:
        yield from self.sent

    def paid_out(self, payout_external_id: str) -> Iterator[Movement]:
        yield from self.lines


def line(number: int, amount: str, fee: str, currency: str = "EUR") -> Movement:
    return Movement(
        f"txn_{number}",
        MovementKind.CHARGE,
        Money.parse(amount, currency),
        Money.parse(fee, currency),
        NOW,
        source_external_id=f"pi_{number}",
    )


def payout(amount: str, status: PayoutStatus = PayoutStatus.PAID) -> Payout:
    return Payout("po_1", Money.parse(amount, "EUR"), status, NOW, NOW)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> ReportingGateway:
    there = ReportingGateway()
    offer(monkeypatch, there)
    return there


def take_over() -> Taken:
    return settlements.take_over("sandbox", since=SINCE, now=NOW)


def balance(account: str) -> int:
    rows = JournalLine.objects.filter(account=account)
    return sum(row.amount_minor if row.side == "DEBIT" else -row.amount_minor for row in rows)


def test_fees_and_payouts_are_entered_once(gateway: ReportingGateway) -> None:
    gateway.lines = [line(1, "100", "3.20"), line(2, "50", "1.75"), line(3, "10", "0")]
    gateway.sent = [payout("155.05")]

    assert take_over() == Taken(movements=3, payouts=1)
    assert take_over() == Taken(movements=0, payouts=0)

    assert balance("fees:sandbox") == 495
    assert balance("bank") == 15505
    assert balance("cash:sandbox") == -495 - 15505
    assert JournalEntry.objects.filter(kind="FEE_CHARGED").count() == 2
    (row,) = GatewayPayout.objects.all()
    assert [one.external_id for one in row.movements.order_by("external_id")] == [
        "txn_1", "txn_2", "txn_3",
    ]  # fmt: skip


def test_a_fee_given_back_lessens_the_expense(gateway: ReportingGateway) -> None:
    gateway.lines = [line(1, "100", "3.20"), line(2, "-100", "-1.20")]

    take_over()

    assert balance("fees:sandbox") == 200


def test_a_payout_that_fails_is_with_the_gateway_again(gateway: ReportingGateway) -> None:
    gateway.sent = [payout("20", PayoutStatus.PENDING)]
    take_over()
    assert balance("bank") == 2000

    gateway.sent = [payout("20", PayoutStatus.FAILED)]
    take_over()
    take_over()

    assert (balance("bank"), balance("cash:sandbox")) == (0, 0)
    assert GatewayPayout.objects.get().status == PayoutStatus.FAILED


def test_what_was_taken_over_before_it_fell_silent_stays(gateway: ReportingGateway) -> None:
    gateway.lines = [line(number, "1", "0.10") for number in range(300)]
    gateway.falls_silent_after = 250

    with pytest.raises(GatewayUnavailableError):
        take_over()
    assert GatewayMovement.objects.count() == 200

    gateway.falls_silent_after = 1000
    assert take_over().movements == 100
    assert balance("fees:sandbox") == 3000


def test_lines_keep_the_currency_they_were_settled_in(gateway: ReportingGateway) -> None:
    gateway.lines = [line(1, "500", "15", "JPY"), replace(line(2, "1.234", "0.100", "KWD"))]

    take_over()

    rows = GatewayMovement.objects.order_by("external_id")
    assert [(row.amount, row.fee) for row in rows] == [
        (Money(500, "JPY"), Money(15, "JPY")),
        (Money(1234, "KWD"), Money(100, "KWD")),
    ]


def test_a_gateway_that_tells_nothing_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, SandboxGateway())

    assert settlements.reporting() == []
    with pytest.raises(ConflictError):
        take_over()
