from __future__ import annotations

from datetime import timedelta

import pytest

from billing.core import asking
from billing.core.errors import ConflictError, InvalidError
from billing.core.money import Money
from billing.gateways.base import (
    ChargeStatus,
    Decline,
    GatewayUnavailableError,
    Notification,
    RefundRequest,
)
from billing.gateways.base import Refund as RefundFact
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import CreditNote, JournalEntry, Refund
from billing.services import gateway_events, refunds, sweep
from billing.services.refunds import Ask
from tests.services import paying
from tests.services.paying import account, facts, left, state
from tests.services.returning import bills, fresh, payment_of, pays, refund, went
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db

ALICE = Ask("user:1", "changed my mind", is_customer=True)


def test_an_invoice_is_refunded_whole_to_the_card(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")

    [row] = refund(world, invoice)

    assert (row.status, row.amount_minor) == ("SUCCEEDED", 10000)
    assert row.external_id.startswith("re.tok_ok.")
    assert state(invoice) == ("REFUNDED", "0.00")
    note = CreditNote.objects.get()
    assert (note.reason, note.note, went(note)) == (
        "REFUND",
        "asked for it",
        ("100.00", "0.00", "0.00", "100.00"),
    )
    assert account("cash:sandbox", alice) == 0
    assert account("refunds", alice) == 0
    entry = JournalEntry.objects.get(kind="REFUND_PAID")
    assert entry.source_id == row.pk
    with pytest.raises(ConflictError, match="refunded"):
        refund(world, invoice)


def test_an_invoice_is_refunded_in_parts_up_to_what_was_paid(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    refund(world, invoice, "30.00")
    assert state(invoice) == ("PAID", "0.00")
    with pytest.raises(ConflictError, match=r"Only 70.00 USD is left"):
        refund(world, invoice, "70.01")

    refund(world, invoice, "70.00")

    assert state(invoice) == ("REFUNDED", "0.00")
    assert [row.amount_minor for row in Refund.objects.order_by("pk")] == [3000, 7000]


def test_what_is_not_paid_is_not_refunded(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    with pytest.raises(ConflictError, match="nothing to refund: the invoice is pending"):
        refund(world, bills(world, alice, "5.00"))


def test_customers_refund_what_they_paid_for_a_week(world: World) -> None:
    alice = world.at("2026-04-01 12:00").customer("alice")
    early, late = pays(world, alice, "5.00"), pays(world, alice, "6.00")

    with pytest.raises(ConflictError, match="whole"):
        refunds.of_invoice(early.pk, Money(100, "USD"), ALICE, now=world.now)
    world.at("2026-04-08 12:00")
    refunds.of_invoice(early.pk, None, ALICE, now=world.now)
    world.at("2026-04-08 12:01")
    assert state(early) == ("REFUNDED", "0.00")
    with pytest.raises(ConflictError, match="within 7 days"):
        refunds.of_invoice(late.pk, None, ALICE, now=world.now)

    refund(world, late)  # an operator may
    assert state(late) == ("REFUNDED", "0.00")


@pytest.mark.django_db(transaction=True)
def test_fifty_requests_at_once_have_one_effect(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice, now = pays(world, alice, "100.00"), world.now

    found = at_once(
        *(lambda: refunds.of_invoice(invoice.pk, None, ALICE, now=now) for _ in range(50))
    )

    assert sum(isinstance(rows, list) for rows in found) == 1
    assert {type(rows) for rows in found} == {list, ConflictError}
    assert Refund.objects.count() == CreditNote.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_ten_workers_on_one_refund_send_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice, now = pays(world, alice, "100.00"), world.now
    [row] = refunds.of_invoice(invoice.pk, None, ALICE, now=now)
    sent: list[RefundRequest] = []
    usual = SandboxGateway.refund

    def counted(self: SandboxGateway, request: RefundRequest) -> RefundFact:
        sent.append(request)
        return usual(self, request)

    monkeypatch.setattr(SandboxGateway, "refund", counted)
    at_once(*(lambda: refunds.collect(row.pk, now=now) for _ in range(10)))

    assert len(sent) == 1
    assert JournalEntry.objects.filter(kind="REFUND_PAID").count() == 1


def test_a_refund_that_fails_is_credit_and_says_why(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00", token="tok_refund_declined")

    [row] = refund(world, invoice)

    assert (row.status, row.decline_code) == ("FAILED", "declined")
    assert state(invoice) == ("PAID", "0.00")
    assert left(alice) == [("PAID", "100.00")]
    assert account("refunds", alice) == 0
    assert JournalEntry.objects.filter(kind="REFUND_FAILED").count() == 1


def test_what_a_gateway_refuses_is_credit(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00", token="tok_refund_rejected")
    [row] = refund(world, invoice)
    assert (row.status, row.decline_code) == ("FAILED", "rejected_by_gateway")
    assert left(alice) == [("PAID", "100.00")]


def test_without_an_answer_it_is_asked_again_under_the_same_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00", token="tok_refund_unavailable")
    [row] = refund(world, invoice)
    assert (row.status, state(invoice)) == ("UNKNOWN", ("PAID", "0.00"))
    assert account("refunds", alice) == -10000
    assert sweep.sweep(now=world.now + asking.FIRST).refunds == [row.pk]

    asked: list[RefundRequest] = []

    def answers(_: SandboxGateway, request: RefundRequest) -> RefundFact:
        asked.append(request)
        if len(asked) == 1:
            raise GatewayUnavailableError("not yet")
        return RefundFact(request.reference, "re_1", ChargeStatus.SUCCEEDED)

    monkeypatch.setattr(SandboxGateway, "refund", answers)
    for _ in range(3):
        refunds.collect(row.pk, now=world.now)

    assert [(request.reference, request.is_repeated) for request in asked] == [
        (str(row.pk), True),
        (str(row.pk), True),
    ]
    assert state(invoice) == ("REFUNDED", "0.00")
    assert sweep.sweep(now=world.now).refunds == []


@pytest.mark.parametrize(
    ("token", "status", "becomes"),
    [
        ("tok_refund_processing", "SUCCEEDED", "REFUNDED"),
        ("tok_refund_processing_declined", "FAILED", "PAID"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_notification_settles_what_is_processing(
    world: World, token: str, status: str, becomes: str
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00", token=token)
    [row] = refund(world, invoice)
    assert row.status == "PROCESSING"
    told = Notification("evt_1", "refund.updated", "refund", row.external_id, world.now)
    event_id = gateway_events.receive(told, gateway="sandbox", now=world.now)
    assert event_id is not None

    at_once(*(lambda: gateway_events.handle(event_id, now=instant("2026-04-02")) for _ in range(5)))

    row.refresh_from_db()
    assert (row.status, fresh(invoice).status) == (status, becomes)


def test_money_that_came_by_hand_is_paid_out_by_hand(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = bills(world, alice, "100.00")
    paying.pay(world, alice, "100.00")

    [row] = refund(world, invoice)
    assert (row.status, sweep.sweep(now=world.now).refunds) == ("CREATED", [])
    for _ in range(2):
        refunds.pay_out(row.pk, reference="BANK-7", by="olga", now=world.now)

    row.refresh_from_db()
    assert (row.status, row.external_id) == ("SUCCEEDED", "BANK-7")
    assert state(invoice) == ("REFUNDED", "0.00")
    assert account("cash:bank_transfer", alice) == 0


def test_what_a_gateway_gives_back_nobody_pays_out(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    [row] = refunds.of_invoice(invoice.pk, None, ALICE, now=world.now)
    with pytest.raises(ConflictError, match="Sandbox gives it back"):
        refunds.pay_out(row.pk, reference="x", by="olga", now=world.now)


def test_what_was_paid_too_much_is_given_back_from_credit(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    bills(world, alice, "60.00")
    payment = paying.pay(world, alice, "100.00")
    assert left(alice) == [("PAID", "40.00")]

    [row] = refunds.of_payment(payment.pk, Money(4000, "USD"), Ask("olga"), now=world.now)

    assert (row.amount_minor, row.credit_note) == (4000, None)
    assert left(alice) == []
    assert account("refunds", alice) == -4000
    refunds.pay_out(row.pk, reference="BANK-8", by="olga", now=world.now)


def test_a_payment_goes_back_whole_its_unused_credit_first(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    first, second = bills(world, alice, "30.00"), bills(world, alice, "30.00")
    payment = paying.pay(world, alice, "100.00", (first, "30.00"), (second, "30.00"))

    rows = refunds.of_payment(payment.pk, None, Ask("olga"), now=world.now)

    assert [row.amount_minor for row in rows] == [4000, 3000, 3000]
    with pytest.raises(ConflictError, match="Nothing of this payment"):
        refunds.of_payment(payment.pk, None, Ask("olga"), now=world.now)
    for row in rows:
        refunds.pay_out(row.pk, reference="BANK-9", by="olga", now=world.now)
    assert state(first) == state(second) == ("REFUNDED", "0.00")


def test_no_more_of_a_payment_goes_back_than_is_left(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    payment = payment_of(invoice)
    for amount, error in ((10001, ConflictError), (0, InvalidError), (-1, InvalidError)):
        with pytest.raises(error):
            refunds.of_payment(payment.pk, Money(amount, "USD"), Ask("olga"), now=world.now)
    refunds.of_payment(payment.pk, Money(2500, "USD"), Ask("olga"), now=world.now)
    with pytest.raises(ConflictError, match=r"Only 75.00 USD can go back"):
        refunds.of_payment(payment.pk, Money(7501, "USD"), Ask("olga"), now=world.now)


def test_credit_whose_refund_failed_is_there_again_and_can_be_refunded(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00", token="tok_refund_declined")
    payment = payment_of(invoice)
    refund(world, invoice)
    assert left(alice) == [("PAID", "100.00")]

    [row] = refunds.of_payment(payment.pk, None, Ask("olga"), now=world.now)
    assert left(alice) == []
    refunds.collect(row.pk, now=world.now)

    assert left(alice) == [("PAID", "100.00")]
    assert account("customer_credit", alice) == -10000


def test_the_customer_s_own_present_counts(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "5.00")
    refunds.of_invoice(invoice.pk, None, ALICE, now=world.now + timedelta(days=300))
    assert Refund.objects.get().created_at == world.now


def test_a_refund_that_nobody_took_comes_back_and_is_credit(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    [row] = refund(world, invoice, "30.00")
    assert row.status == "SUCCEEDED"
    failed = RefundFact(
        str(row.pk), row.external_id, ChargeStatus.DECLINED, Decline("lost_card", "No such card.")
    )

    for _ in range(2):
        refunds.settle(row.pk, outcome=failed, now=world.now)

    assert Refund.objects.get().status == "FAILED"
    assert left(alice) == [("PAID", "30.00")]
    assert (account("refunds", alice), account("cash:sandbox", alice)) == (0, 10000)
    assert facts(alice, "REFUND_PAID", "REFUND_RETURNED", "REFUND_FAILED") == [
        "REFUND_PAID",
        "REFUND_RETURNED",
        "REFUND_FAILED",
    ]
