from __future__ import annotations

import pytest

from billing.core.errors import ConflictError
from billing.core.lifecycle import DisputeStatus
from billing.core.money import Money
from billing.gateways.base import GatewayUnavailableError, Notification
from billing.gateways.sandbox.gateway import disputed
from billing.models import Dispute, GatewayEvent, Invoice, JournalEntry, PaymentAttempt, Refund
from billing.services import disputes, gateway_events, payments, refunds
from billing.services.refunds import Ask
from tests.services import paying
from tests.services.paying import account, state
from tests.services.returning import bills, fresh, payment_of, pays, refund
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db


def contest(world: World, invoice: Invoice) -> list[Dispute]:
    return disputes.contest(invoice.pk, by="user:1", reason="not mine", now=world.now)


def told(world: World, invoice: Invoice, status: str, amount: int = 10000) -> str:
    """The gateway tells of a dispute; what was done."""
    attempt = PaymentAttempt.objects.get(invoice=invoice)
    about = disputed(attempt.external_id, Money(amount, "USD"), DisputeStatus(status))
    count = GatewayEvent.objects.count()
    event = Notification(f"evt_{count}", "dispute", "dispute", about, world.now)
    event_id = gateway_events.receive(event, gateway="sandbox", now=world.now)
    assert event_id is not None
    gateway_events.handle(event_id, now=world.now)
    return GatewayEvent.objects.get(pk=event_id).outcome


def test_a_customer_contests_what_they_paid_and_no_money_moves(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")

    [dispute] = contest(world, invoice)

    assert (dispute.source, dispute.status, dispute.amount_minor) == ("CUSTOMER", "OPEN", 10000)
    assert state(invoice) == ("IN_PROTEST", "0.00")
    assert account("cash:sandbox", alice) == 10000
    with pytest.raises(ConflictError, match="in_protest"):
        contest(world, invoice)
    with pytest.raises(ConflictError):
        refund(world, invoice)


def test_what_is_owed_or_was_paid_by_credit_is_not_contested(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    with pytest.raises(ConflictError, match="pending"):
        contest(world, bills(world, alice, "5.00"))
    bob = world.customer("bob")
    paying.give(world, bob, "5.00")
    with pytest.raises(ConflictError, match="No payment"):
        contest(world, bills(world, bob, "5.00"))


def test_an_operator_gives_in_and_the_money_goes_back(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    [dispute] = contest(world, invoice)

    decided, found = disputes.decide(dispute.pk, DisputeStatus.LOST, by="olga", now=world.now)
    again, nothing = disputes.decide(dispute.pk, DisputeStatus.LOST, by="olga", now=world.now)

    assert (decided.status, again.status, nothing) == ("LOST", "LOST", [])
    assert state(invoice) == ("CHARGEBACK", "0.00")
    assert account("chargebacks", alice) == 10000
    [row] = found
    refunds.collect(row.pk, now=world.now)
    assert account("cash:sandbox", alice) == 0
    assert Refund.objects.get().status == "SUCCEEDED"
    with pytest.raises(ConflictError, match="lost"):
        disputes.decide(dispute.pk, DisputeStatus.WON, by="olga", now=world.now)


def test_what_is_won_is_paid_again_and_may_be_contested_again(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    [dispute] = contest(world, invoice)

    disputes.decide(dispute.pk, DisputeStatus.WON, by="olga", now=world.now)

    assert state(invoice) == ("PAID", "0.00")
    assert contest(world, invoice) != [dispute]


def test_all_payments_of_an_invoice_are_decided_together(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = bills(world, alice, "100.00")
    paying.pay(world, alice, "60.00")
    paying.pay(world, alice, "40.00")
    rows = contest(world, invoice)
    assert [row.amount_minor for row in rows] == [4000, 6000]

    _, found = disputes.decide(rows[0].pk, DisputeStatus.LOST, by="olga", now=world.now)

    assert sorted(row.amount_minor for row in found) == [4000, 6000]
    assert state(invoice) == ("CHARGEBACK", "0.00")
    assert set(Dispute.objects.values_list("status", flat=True)) == {"LOST"}


def test_only_what_has_not_gone_back_is_given_in_to(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    refund(world, invoice, "30.00")
    [dispute] = contest(world, invoice)
    assert dispute.amount_minor == 7000


def test_a_bank_s_dispute_holds_the_money_back(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")

    assert told(world, invoice, "OPEN") == "dispute open"
    assert told(world, invoice, "OPEN") == "dispute open"

    dispute = Dispute.objects.get()
    assert (dispute.source, dispute.reason) == ("GATEWAY", "fraudulent")
    assert state(invoice) == ("IN_PROTEST", "0.00")
    assert (account("cash:sandbox", alice), account("disputes", alice)) == (0, 10000)
    with pytest.raises(ConflictError, match="Sandbox decides this one"):
        disputes.decide(dispute.pk, DisputeStatus.WON, by="olga", now=world.now)
    with pytest.raises(ConflictError, match="Nothing of this payment can go back"):
        refunds.of_payment(payment_of(invoice).pk, None, Ask("olga"), now=world.now)


def test_a_bank_s_dispute_is_won_by_the_gateway_s_word(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    told(world, invoice, "OPEN")

    assert told(world, invoice, "WON") == "dispute won"
    assert told(world, invoice, "LOST") == "dispute won"  # who is heard first wins

    assert state(invoice) == ("PAID", "0.00")
    assert (account("cash:sandbox", alice), account("disputes", alice)) == (10000, 0)
    refund(world, invoice)
    assert state(invoice) == ("REFUNDED", "0.00")


def test_a_dispute_that_is_heard_of_when_it_is_lost_was_opened_too(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")

    assert told(world, invoice, "LOST") == "dispute lost"

    assert state(invoice) == ("CHARGEBACK", "0.00")
    assert (account("chargebacks", alice), account("disputes", alice)) == (10000, 0)
    kinds = JournalEntry.objects.filter(source_kind="dispute").order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == ["DISPUTE_OPENED", "DISPUTE_LOST"]


@pytest.mark.django_db(transaction=True)
def test_ten_notifications_of_one_dispute_have_one_effect(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    now = world.now
    attempt = PaymentAttempt.objects.get(invoice=invoice)
    about = disputed(attempt.external_id, Money(10000, "USD"), DisputeStatus.LOST)
    ids = [
        gateway_events.receive(
            Notification(f"evt_{n}", "dispute", "dispute", about, now), gateway="sandbox", now=now
        )
        for n in range(10)
    ]
    at_once(
        *(lambda event_id=event_id: gateway_events.handle(event_id, now=now) for event_id in ids)
    )
    assert Dispute.objects.get().status == "LOST"


def test_what_a_customer_contested_is_left_to_their_bank(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    contest(world, invoice)

    told(world, invoice, "OPEN")

    rows = Dispute.objects.order_by("pk").values_list("source", "status")
    assert list(rows) == [("CUSTOMER", "WON"), ("GATEWAY", "OPEN")]
    assert fresh(invoice).status == "IN_PROTEST"


def test_a_dispute_over_a_charge_that_is_not_settled_is_taken_up_later(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice, "tok_processing")
    invoice = bills(world, alice, "100.00")
    attempt = payments.charge(invoice.pk, by="test", now=world.now)
    assert attempt is not None
    payments.collect(attempt.pk, now=world.now)
    with pytest.raises(GatewayUnavailableError):
        told(world, invoice, "OPEN")
    assert not Dispute.objects.exists()


def test_a_stranger_s_dispute_is_none_of_ours(world: World) -> None:
    world.at("2026-04-01")
    about = disputed("ch.tok_ok.x", Money(1, "USD"), DisputeStatus.OPEN)
    event = Notification("evt_1", "dispute", "dispute", about, world.now)
    event_id = gateway_events.receive(event, gateway="sandbox", now=world.now)
    assert event_id is not None
    gateway_events.handle(event_id, now=world.now)
    assert GatewayEvent.objects.get().outcome == "not one of ours"
