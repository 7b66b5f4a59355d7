from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from billing.core import asking
from billing.core.errors import ConflictError, InvalidError
from billing.core.lifecycle import AttemptStatus, InvoiceStatus, SubscriptionStatus
from billing.gateways.base import Charge, ChargeRequest, ChargeStatus, GatewayUnavailableError
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import Invoice, JournalEntry, Payment, PaymentAttempt
from billing.queries import balances
from billing.services import payments, sweep
from customers.models import Customer
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db


def subscriber(world: World, token: str) -> Customer:
    """On Premium from 11 April 2026, paying with what the token stands for."""
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice, token)
    return alice


def newest_attempt() -> PaymentAttempt:
    return PaymentAttempt.objects.latest("created_at")


def test_a_good_card_pays_at_the_months_end(world: World) -> None:
    alice = subscriber(world, "tok_ok")
    world.at("2026-05-01")

    invoice = world.newest_invoice(alice)
    assert (invoice.status, invoice.paid_at) == (InvoiceStatus.PAID, instant("2026-05-01"))
    assert Payment.objects.get().amount == invoice.total
    assert balances.due_on([invoice]) == {invoice.pk: 0}
    assert balances.owed_by(alice) == {}


def test_a_declined_card_is_retried_by_schedule_and_then_left(world: World) -> None:
    alice = subscriber(world, "tok_insufficient_funds")
    world.at("2026-05-01")

    invoice = world.newest_invoice(alice)
    assert invoice.status == InvoiceStatus.CHARGED_WITH_ERROR
    assert invoice.next_charge_at == instant("2026-05-02")
    assert balances.owed_by(alice) == {"USD": 114_00}
    assert world.subscription(alice).status == SubscriptionStatus.PAST_DUE
    assert world.subscription(alice).past_due_at == instant("2026-05-01")

    world.at("2026-05-31")

    tried = PaymentAttempt.objects.order_by("created_at").values_list("created_at", flat=True)
    assert [f"{at:%d}" for at in tried] == ["01", "02", "05", "10", "17"]
    assert world.newest_invoice(alice).next_charge_at is None


def test_a_hard_decline_is_not_retried_on_the_same_card(world: World) -> None:
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-20")

    assert PaymentAttempt.objects.count() == 1
    assert newest_attempt().is_hard_decline
    assert world.newest_invoice(alice).next_charge_at is None


def test_a_new_card_is_charged_at_once_and_restores_good_standing(world: World) -> None:
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-03 10:00").adds_card(alice, "tok_ok")

    invoice = world.newest_invoice(alice)
    assert (invoice.status, invoice.paid_at) == (InvoiceStatus.PAID, instant("2026-05-03 10:00"))
    subscription = world.subscription(alice)
    assert (subscription.status, subscription.past_due_at) == (SubscriptionStatus.ACTIVE, None)


def test_a_paid_invoice_cannot_be_charged_again(world: World) -> None:
    alice = subscriber(world, "tok_ok")
    world.at("2026-05-01")

    with pytest.raises(ConflictError) as refused:
        payments.charge(world.newest_invoice(alice).pk, by="test", now=world.now)

    assert refused.value.code == "nothing_to_charge"
    assert PaymentAttempt.objects.count() == 1


def test_without_a_card_there_is_nothing_to_charge(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = world.drafts(alice, "10.00")

    with pytest.raises(InvalidError) as refused:
        payments.charge(invoice.pk, by="test", now=world.now)

    assert refused.value.code == "no_payment_method"
    assert Invoice.objects.get().status == InvoiceStatus.DRAFT


@pytest.mark.django_db(transaction=True)
def test_paying_at_once_from_many_sides_charges_once(world: World) -> None:
    alice = subscriber(world, "tok_ok")
    invoice = world.drafts(alice, "25.00")

    outcomes = at_once(
        *(lambda: payments.charge(invoice.pk, by="test", now=world.now) for _ in range(8))
    )

    opened = [outcome for outcome in outcomes if isinstance(outcome, PaymentAttempt)]
    assert len(opened) == 1
    collected = at_once(*(lambda: payments.collect(opened[0].pk, now=world.now) for _ in range(8)))
    assert not [outcome for outcome in collected if isinstance(outcome, Exception)]
    assert Payment.objects.count() == 1


def test_no_gateway_is_called_inside_a_transaction(world: World) -> None:
    alice = subscriber(world, "tok_ok")
    attempt = world.charges(world.drafts(alice, "25.00"))

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        payments.collect(attempt.pk, now=world.now)

    payments.collect(attempt.pk, now=world.now)


def test_no_answer_is_asked_about_under_the_same_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = subscriber(world, "tok_ok")
    attempt = world.charges(world.drafts(alice, "25.00"))
    sent: list[str] = []

    def silent(_self: SandboxGateway, request: ChargeRequest) -> Charge:
        sent.append(request.reference)
        raise GatewayUnavailableError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "charge", silent)
        payments.collect(attempt.pk, now=world.now)
    assert newest_attempt().status == AttemptStatus.UNKNOWN
    with pytest.raises(ConflictError, match="under way"):
        payments.charge(attempt.invoice_id, by="test", now=world.now)

    assert sweep.sweep(now=world.now).attempts == []
    found = sweep.sweep(now=world.now + asking.FIRST)
    assert found.attempts == [attempt.pk]
    payments.collect(attempt.pk, now=world.now)

    assert sent == [str(attempt.pk)]
    assert newest_attempt().status == AttemptStatus.SUCCEEDED
    assert PaymentAttempt.objects.count() == 1


def test_a_worker_killed_in_the_call_is_taken_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = subscriber(world, "tok_ok")
    attempt = world.charges(world.drafts(alice, "25.00"))

    def die(_self: SandboxGateway, _request: ChargeRequest) -> Charge:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "charge", die)
        with pytest.raises(KeyboardInterrupt):
            payments.collect(attempt.pk, now=world.now)
    assert newest_attempt().status == AttemptStatus.SENDING

    assert sweep.sweep(now=world.now).attempts == [attempt.pk]
    payments.collect(attempt.pk, now=world.now)

    assert newest_attempt().status == AttemptStatus.SUCCEEDED


def _charge(attempt: PaymentAttempt, status: ChargeStatus) -> Charge:
    return Charge(str(attempt.pk), f"ch.{attempt.pk}", status)


@pytest.mark.parametrize("first", ["answer", "notification"])
def test_whoever_hears_first_wins(world: World, first: str) -> None:
    alice = subscriber(world, "tok_ok")
    attempt = world.charges(world.drafts(alice, "25.00"))
    heard: list[Callable[[], object]] = [
        lambda: payments.collect(attempt.pk, now=world.now),
        lambda: payments.settle(
            attempt.pk, outcome=_charge(attempt, ChargeStatus.SUCCEEDED), now=world.now
        ),
    ]
    for hear in heard if first == "answer" else reversed(heard):
        hear()

    assert Payment.objects.count() == 1
    assert JournalEntry.objects.filter(kind="PAYMENT_RECEIVED").count() == 1


def test_a_late_decline_does_not_undo_a_success(world: World) -> None:
    alice = subscriber(world, "tok_ok")
    attempt = world.charges(world.drafts(alice, "25.00"))
    payments.collect(attempt.pk, now=world.now)

    payments.settle(attempt.pk, outcome=_charge(attempt, ChargeStatus.DECLINED), now=world.now)

    assert Invoice.objects.get(pk=attempt.invoice_id).status == InvoiceStatus.PAID


def test_a_delayed_method_is_paid_when_the_gateway_says_so(world: World) -> None:
    alice = subscriber(world, "tok_processing")
    world.at("2026-05-01")
    assert newest_attempt().status == AttemptStatus.PROCESSING
    assert world.newest_invoice(alice).status == InvoiceStatus.PENDING

    payments.settle(
        newest_attempt().pk,
        outcome=_charge(newest_attempt(), ChargeStatus.SUCCEEDED),
        now=world.now,
    )

    assert world.newest_invoice(alice).status == InvoiceStatus.PAID


def test_what_the_gateway_refuses_is_a_decline_that_says_so(world: World) -> None:
    alice = subscriber(world, "tok_rejected")
    world.at("2026-05-01")

    assert newest_attempt().status == AttemptStatus.FAILED
    assert newest_attempt().decline_code == "rejected_by_gateway"
    assert world.newest_invoice(alice).next_charge_at is None
