"""Stripe's account with us: fees, disputes and payouts; and what happened, told again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from billing import clock
from billing.core.lifecycle import DisputeStatus, MovementKind, PayoutStatus
from billing.core.money import Money
from billing.gateways.abilities import Document, Evidence, Payout
from billing.gateways.base import (
    Charge,
    ChargeRequest,
    Dispute,
    GatewayRejectedError,
    GatewayUnavailableError,
    RefundRequest,
    Setup,
    SetupRequest,
    SetupStatus,
)
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import money
from billing.gateways.stripe.gateway import StripeGateway
from tests.gateways.cases import StandIn, StripeCase

pytestmark = pytest.mark.django_db

SHOP = "http://localhost/"
PROOF = Document("proof.pdf", "application/pdf", b"%PDF-1.4 it was delivered")


@pytest.fixture
def case(stand_in: StandIn) -> StripeCase:
    return StripeCase(stand_in, "whsec_any")


@pytest.fixture
def gateway(case: StripeCase) -> StripeGateway:
    assert isinstance(case.gateway, StripeGateway)
    return case.gateway


@pytest.fixture
def client(gateway: StripeGateway) -> stripe.StripeClient:
    return gateway._client


@pytest.fixture
def since() -> datetime:
    return clock.now() - timedelta(minutes=5)


@pytest.fixture
def charge(gateway: StripeGateway) -> Charge:
    return charged(gateway)


@pytest.fixture
def dispute(case: StripeCase, charge: Charge) -> str:
    return case.dispute(charge)


def charged(gateway: StripeGateway, reference: str = "a1") -> Charge:
    setup = gateway.start_setup(SetupRequest(f"s-{reference}", "anon_1", token="pm_card_visa"))
    assert setup.method is not None
    return gateway.charge(
        ChargeRequest(
            reference, Money(10_000, "EUR"), setup.customer_external_id, setup.method.external_id
        )
    )


def entry(**fields: Any) -> dict[str, Any]:
    return {
        "id": "txn_1",
        "amount": 1000,
        "fee": 0,
        "currency": "eur",
        "created": 1_700_000_000,
        "reporting_category": "charge",
        "source": None,
    } | fields


def test_what_stripe_kept_of_each_charge_is_told(
    gateway: StripeGateway, charge: Charge, since: datetime
) -> None:
    refund = gateway.refund(RefundRequest("r1", charge.external_id, Money(4_000, "EUR")))

    back, taken = gateway.movements(since)

    assert (taken.kind, taken.amount) == (MovementKind.CHARGE, Money(10_000, "EUR"))
    assert (taken.source_external_id, taken.fee.currency) == (charge.external_id, "EUR")
    assert taken.fee.minor > 0
    assert (back.kind, back.amount) == (MovementKind.REFUND, Money(-4_000, "EUR"))
    assert back.source_external_id == refund.external_id
    assert abs(taken.occurred_at - clock.now()) < timedelta(minutes=1)
    assert list(gateway.movements(clock.now() + timedelta(minutes=5))) == []


def test_a_dispute_takes_the_amount_and_a_fee(
    gateway: StripeGateway, dispute: str, since: datetime
) -> None:
    taken = next(gateway.movements(since))

    assert (taken.kind, taken.amount) == (MovementKind.DISPUTE, Money(-10_000, "EUR"))
    assert taken.source_external_id == dispute
    assert taken.fee.minor > 0


def test_what_a_payout_is_made_of_comes_to_its_amount(
    gateway: StripeGateway, charge: Charge, stand_in: StandIn, since: datetime
) -> None:
    gateway.refund(RefundRequest("r1", charge.external_id, Money(4_000, "EUR")))
    made = stand_in.control("payouts/pay", currency="eur", include_pending=True)

    (payout,) = gateway.payouts(since)
    lines = list(gateway.paid_out(made["id"]))

    assert isinstance(payout, Payout)
    assert (payout.external_id, payout.status) == (made["id"], PayoutStatus.PAID)
    assert payout.arrives_at is not None
    assert payout.amount.minor == sum(line.amount.minor - line.fee.minor for line in lines)
    assert {line.kind for line in lines} == {MovementKind.CHARGE, MovementKind.REFUND}
    own = next(gateway.movements(since))
    assert (own.kind, own.source_external_id) == (MovementKind.PAYOUT, payout.external_id)
    assert gateway.fetch("payout", payout.external_id) is None


def test_long_lists_are_read_to_their_end(
    gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch, since: datetime
) -> None:
    monkeypatch.setattr(clients, "_PAGE", 2)
    references = [f"a{number}" for number in range(5)]
    charges = [charged(gateway, reference) for reference in references]

    told = [movement.source_external_id for movement in gateway.movements(since)]

    assert sorted(told) == sorted(charge.external_id for charge in charges)


def test_a_list_that_breaks_off_says_so(
    gateway: StripeGateway, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, since: datetime
) -> None:
    monkeypatch.setattr(clients, "_PAGE", 1)
    for reference in ("a1", "a2"):
        charged(gateway, reference)
    told = gateway.movements(since)
    next(told)
    stand_in.fail("GET /v1/balance_transactions", action="500", times=3)

    with pytest.raises(GatewayUnavailableError):
        next(told)


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("charge_failure", MovementKind.CHARGE),
        ("refund_failure", MovementKind.REFUND),
        ("dispute_reversal", MovementKind.DISPUTE),
        ("payout_reversal", MovementKind.PAYOUT),
        ("fee", MovementKind.FEE),
        ("network_cost", MovementKind.FEE),
        ("topup", MovementKind.OTHER),
        ("of_tomorrow", MovementKind.OTHER),
    ],
)
def test_every_sort_of_movement_has_a_kind(category: str, kind: MovementKind) -> None:
    assert money.movement(entry(reporting_category=category)).kind is kind


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({"object": "charge", "id": "py_1", "payment_intent": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": None}, "ch_1"),
        ({"object": "refund", "id": "re_1"}, "re_1"),
        ({"object": "topup", "id": "tu_1"}, ""),
        ("fee_1", ""),
        (None, ""),
    ],
)
def test_what_a_movement_is_about_has_the_name_that_we_know(source: Any, named: str) -> None:
    assert money.movement(entry(source=source)).source_external_id == named


def test_money_is_told_in_the_currency_it_settles_in() -> None:
    told = money.movement(entry(currency="jpy", amount=1234, fee=80, description="x" * 300))

    assert (told.amount, told.fee) == (Money(1234, "JPY"), Money(80, "JPY"))
    assert len(told.description) == 200


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pending", PayoutStatus.PENDING),
        ("in_transit", PayoutStatus.PENDING),
        ("paid", PayoutStatus.PAID),
        ("failed", PayoutStatus.FAILED),
        ("canceled", PayoutStatus.FAILED),
    ],
)
def test_every_state_of_a_payout(status: str, expected: PayoutStatus) -> None:
    fields = {"id": "po_1", "amount": -5, "currency": "eur", "created": 0, "status": status}

    told = money.payout(fields | {"arrival_date": None})

    at = datetime.fromtimestamp(0, UTC)
    assert told == Payout("po_1", Money(-5, "EUR"), expected, at, None)


def test_evidence_decides_a_dispute(gateway: StripeGateway, dispute: str) -> None:
    gateway.submit_evidence(dispute, Evidence("winning_evidence"))

    told = gateway.fetch("dispute", dispute)
    assert isinstance(told, Dispute)
    assert (told.status, told.evidence_due_at) == (DisputeStatus.WON, None)


def test_evidence_whose_answer_is_lost_was_given(
    gateway: StripeGateway, dispute: str, stand_in: StandIn
) -> None:
    stand_in.fail("POST /v1/disputes/*", action="cut", moment="after", times=3)
    with pytest.raises(GatewayUnavailableError):
        gateway.submit_evidence(dispute, Evidence("They had it.", (PROOF,)))

    again = gateway.submit_evidence(dispute, Evidence("They had it.", (PROOF,)))

    assert (again.status, again.evidence_due_at) == (DisputeStatus.OPEN, None)


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(documents=(PROOF, PROOF)),
        Evidence(documents=(Document("a.txt", "text/plain", b"words"),)),
        Evidence(documents=(Document("a.pdf", "application/pdf", b"%PDF" * 1_300_000),)),
    ],
    ids=["several", "of another sort", "too large"],
)
def test_evidence_that_stripe_does_not_take_is_refused(
    gateway: StripeGateway, dispute: str, evidence: Evidence
) -> None:
    with pytest.raises(GatewayRejectedError):
        gateway.submit_evidence(dispute, evidence)

    told = gateway.submit_evidence(dispute, Evidence("They had it."))
    assert told.status is DisputeStatus.OPEN


def test_a_dispute_that_is_over_takes_no_evidence(
    gateway: StripeGateway, dispute: str, stand_in: StandIn
) -> None:
    stand_in.control("disputes/decide", dispute=dispute, status="lost")

    with pytest.raises(GatewayRejectedError):
        gateway.submit_evidence(dispute, Evidence("They had it."))
    with pytest.raises(GatewayRejectedError):
        gateway.submit_evidence("dp_of_nobody", Evidence("They had it."))


def test_an_inquiry_is_none_of_ours(
    gateway: StripeGateway, charge: Charge, stand_in: StandIn, since: datetime
) -> None:
    opened = stand_in.control("disputes/open", payment_intent=charge.external_id, inquiry=True)

    with pytest.raises(GatewayRejectedError):
        gateway.submit_evidence(opened["id"], Evidence("They had it."))
    assert gateway.fetch("dispute", opened["id"]) is None
    assert not [fact for fact in gateway.recall(since) if isinstance(fact, Dispute)]


def test_everything_of_ours_is_told_again_in_a_request_each(
    gateway: StripeGateway, dispute: str, stand_in: StandIn, since: datetime
) -> None:
    visit = gateway.start_setup(SetupRequest("s9", "anon_1", None, None, "card", SHOP, SHOP))
    stand_in.fill_in(visit.url, "4242 4242 4242 4242")
    known = gateway.fetch("setup", visit.external_id)
    asked = len(stand_in.requests())

    told = list(gateway.recall(since))

    assert len(stand_in.requests()) - asked == 5
    assert known in told
    assert gateway.fetch("dispute", dispute) in told
    assert isinstance(known, Setup)
    assert known.status is SetupStatus.COMPLETED


def test_what_is_not_ours_is_not_told(
    gateway: StripeGateway, client: stripe.StripeClient, stand_in: StandIn, since: datetime
) -> None:
    intent = client.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "eur",
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    stand_in.control("disputes/open", payment_intent=intent.id, amount=100)
    client.v1.setup_intents.create({"payment_method_types": ["card"]})

    assert list(gateway.recall(since)) == []
