"""`/payouts`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.core.lifecycle import MovementKind, PayoutStatus
from billing.core.money import Money
from billing.gateways.abilities import Movement, Payout
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import GatewayMovement, GatewayPayout, Payment, Refund
from billing.queries import payouts
from billing.services import payments, refunds, settlements
from tests.api.calling import Caller, caller
from tests.api.stage import NOW, Stage, set_stage
from tests.offering import offer

pytestmark = pytest.mark.django_db

YESTERDAY = NOW - timedelta(days=1)


@dataclass
class ReportingGateway(SandboxGateway):
    """Tells what it kept and paid out."""

    lines: list[Movement] = field(default_factory=list)
    sent: list[Payout] = field(default_factory=list)

    def movements(self, since: object) -> Iterator[Movement]:
        yield from ()

    def payouts(self, since: object) -> Iterator[Payout]:
        yield from self.sent

    def paid_out(self, payout_external_id: str) -> Iterator[Movement]:
        yield from (one for one in self.lines if one.external_id.startswith(payout_external_id))


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> ReportingGateway:
    """Tells nothing yet."""
    there = ReportingGateway()
    offer(monkeypatch, there)
    return there


@pytest.fixture
def stage(gateway: ReportingGateway) -> Stage:
    """Alice, who paid 25.00 and got 5.00 back."""
    there = set_stage()
    attempt = payments.charge(there.invoice.pk, by="test", now=NOW)
    assert attempt is not None
    payments.collect(attempt.pk, now=NOW)
    ask = refunds.Ask("test")
    [refund] = refunds.of_invoice(there.invoice.pk, Money(500, "USD"), ask, now=NOW)
    refunds.collect(refund.pk, now=NOW)
    return there


def line(
    name: str,
    kind: MovementKind,
    amount: str,
    fee: str = "0",
    *,
    about: str = "",
    code: str = "USD",
) -> Movement:
    return Movement(
        name,
        kind,
        Money.parse(amount, code),
        Money.parse(fee, code),
        YESTERDAY,
        source_external_id=about,
        description=f"{kind.lower()} {name}",
    )


def paid_out(gateway: ReportingGateway, amount: str, *lines: Movement, name: str = "po_1") -> str:
    """A payout that was taken over; its id."""
    gateway.lines += lines
    money = Money.parse(amount, "USD")
    gateway.sent.append(Payout(name, money, PayoutStatus.PAID, YESTERDAY, NOW))
    settlements.take_over("sandbox", since=YESTERDAY, now=NOW)
    return str(GatewayPayout.objects.get(external_id=name).pk)


def known() -> tuple[str, str]:
    """What the gateway calls the payment's charge, and the refund."""
    payment = Payment.objects.select_related("attempt").get()
    assert payment.attempt is not None
    return payment.attempt.external_id, Refund.objects.get().external_id


def test_a_payout_that_is_what_we_know_of(
    operator: Caller, gateway: ReportingGateway, stage: Stage
) -> None:
    charge, refund = known()
    payout = paid_out(
        gateway,
        "18.50",
        line("po_1.a", MovementKind.CHARGE, "25.00", "1.03", about=charge),
        line("po_1.b", MovementKind.REFUND, "-5.00", "0", about=refund),
        line("po_1.c", MovementKind.FEE, "0.00", "0.47"),
    )

    body = operator.get(f"/payouts/{payout}").body

    assert {name: body[name] for name in body if name not in {"lines", "sums"}} == {
        "id": payout,
        "gateway": "sandbox",
        "external_id": "po_1",
        "amount": "18.50",
        "currency": "USD",
        "status": "paid",
        "created_at": "2026-03-31T09:00:00Z",
        "arrives_at": "2026-04-01T09:00:00Z",
        "line_count": 3,
        "gross": "20.00",
        "fees": "1.50",
        "net": "18.50",
        "difference": "0.00",
        "unmatched": [],
    }
    assert body["sums"] == [
        {"kind": "charge", "count": 1, "gross": "25.00", "fees": "1.03", "net": "23.97"},
        {"kind": "refund", "count": 1, "gross": "-5.00", "fees": "0.00", "net": "-5.00"},
        {"kind": "fee", "count": 1, "gross": "0.00", "fees": "0.47", "net": "-0.47"},
    ]
    [listed] = operator.get("/payouts").body["payouts"]
    assert listed == {name: body[name] for name in listed}


def test_each_line_stands_beside_what_it_is_about(
    operator: Caller, gateway: ReportingGateway, stage: Stage
) -> None:
    charge, refund = known()
    payout = paid_out(
        gateway,
        "18.50",
        line("po_1.a", MovementKind.CHARGE, "25.00", "1.03", about=charge),
        line("po_1.b", MovementKind.REFUND, "-5.00", about=refund),
        line("po_1.c", MovementKind.FEE, "0.00", "0.47"),
    )

    body = operator.get(f"/payouts/{payout}").body

    assert body["lines"][0] == {
        "id": body["lines"][0]["id"],
        "external_id": "po_1.a",
        "kind": "charge",
        "amount": "25.00",
        "fee": "1.03",
        "net": "23.97",
        "currency": "USD",
        "description": "charge po_1.a",
        "occurred_at": "2026-03-31T09:00:00Z",
        "source_external_id": charge,
        "source": {
            "kind": "payment",
            "id": str(Payment.objects.get().pk),
            "amount": "25.00",
            "currency": "USD",
        },
        "matched": True,
    }
    assert body["lines"][1]["source"]["id"] == str(Refund.objects.get().pk)
    assert (body["lines"][2]["source"], body["lines"][2]["matched"]) == (None, True)


def test_what_does_not_match_is_told(
    operator: Caller, gateway: ReportingGateway, stage: Stage
) -> None:
    charge, _ = known()
    payout = paid_out(
        gateway,
        "50.00",
        line("po_1.a", MovementKind.CHARGE, "24.00", "0", about=charge),
        line("po_1.b", MovementKind.CHARGE, "10.00", "0", about="ch.tok_ok.unknown"),
        line("po_1.c", MovementKind.OTHER, "3.00"),
        line("po_1.d", MovementKind.CHARGE, "900", "0", about=charge, code="JPY"),
    )

    body = operator.get(f"/payouts/{payout}").body

    assert (body["net"], body["difference"], body["line_count"]) == ("37.00", "13.00", 3)
    assert [(row["external_id"], row["source"] is None) for row in body["unmatched"]] == [
        ("po_1.a", False),
        ("po_1.b", True),
        ("po_1.c", True),
    ]
    assert body["lines"][3]["matched"] is True
    [listed] = operator.get("/payouts").body["payouts"]
    assert (listed["net"], listed["difference"]) == ("37.00", "13.00")


def test_another_gateways_ids_are_not_ours(
    operator: Caller, gateway: ReportingGateway, stage: Stage
) -> None:
    charge, _ = known()
    theirs = line("po_1.a", MovementKind.CHARGE, "25.00", about=charge)
    payout = paid_out(gateway, "25.00", theirs)
    assert operator.get(f"/payouts/{payout}").body["unmatched"] == []

    GatewayPayout.objects.update(gateway="other")
    GatewayMovement.objects.update(gateway="other")

    assert len(operator.get(f"/payouts/{payout}").body["unmatched"]) == 1


def test_payouts_are_listed_newest_first_by_gateway_and_currency(
    operator: Caller, gateway: ReportingGateway
) -> None:
    first = paid_out(gateway, "0.00")
    second = paid_out(gateway, "1.00", name="po_2")

    def ids(query: str) -> list[str]:
        return [row["id"] for row in operator.get(f"/payouts?{query}").body["payouts"]]

    assert ids("") == [second, first]
    assert ids("gateway=sandbox&currency=USD") == [second, first]
    assert ids("gateway=stripe") == ids("currency=EUR") == []
    assert operator.get("/payouts?currency=EURO").code == "unknown_currency"
    [one, other] = operator.get("/payouts").body["payouts"]
    assert (one["line_count"], one["difference"], other["difference"]) == (0, "1.00", "0.00")


def test_the_queries_do_not_grow_with_the_lines(gateway: ReportingGateway, stage: Stage) -> None:
    charge, refund = known()
    few = [line("po_1.a", MovementKind.CHARGE, "25.00", "0", about=charge)]
    many: list[Any] = [
        line(f"po_2.{n}", MovementKind.REFUND, "-1.00", "0", about=refund) for n in range(30)
    ]
    paid_out(gateway, "25.00", *few)
    paid_out(gateway, "-30.00", *many, name="po_2")

    for payout in GatewayPayout.objects.all():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            found = payouts.report(payout)
            assert found.difference == Money(0, "USD")
        assert len(seen) == 4
    with CaptureQueriesContext(connection) as seen:
        payouts.summed(list(GatewayPayout.objects.all()))
    assert len(seen) == 2


def test_customers_see_none(stage: Stage) -> None:
    answer = caller(stage.alice).get("/payouts")

    assert (answer.status, answer.code) == (403, "operator_only")
