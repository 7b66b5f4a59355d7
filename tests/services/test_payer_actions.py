from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from billing.core.errors import ConflictError, NotFoundError, UnavailableError
from billing.core.lifecycle import AttemptStatus
from billing.gateways.base import Charge, ChargeStatus, GatewayUnavailableError
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import CustomerNotice, Payment, PaymentAttempt
from billing.services import payer_actions, payments, sweep
from customers.models import Customer
from tests.services.paying import bill, pay, state
from tests.world import World

pytestmark = pytest.mark.django_db

BACK = "https://example.org/invoice"


def challenged(world: World) -> tuple[Customer, PaymentAttempt]:
    """A charge that waits for Alice."""
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice, "tok_action")
    attempt = payments.collect(world.charges(bill(world, alice, "25.00")).pk, now=world.now)
    assert attempt is not None
    return alice, attempt


def fresh(attempt: PaymentAttempt) -> PaymentAttempt:
    return PaymentAttempt.objects.select_related("invoice").get(pk=attempt.pk)


def test_a_payment_that_waits_for_its_payer_says_so_once(world: World) -> None:
    _, attempt = challenged(world)

    assert attempt.status == AttemptStatus.ACTION_REQUIRED
    assert attempt.action == {"kind": "PAGE", "url": "", "code": "", "expires_at": None}
    assert attempt.expires_at == world.now + timedelta(days=3)
    assert state(attempt.invoice) == ("PENDING", "25.00")
    again = Charge(str(attempt.pk), attempt.external_id, ChargeStatus.ACTION_REQUIRED)
    payments.settle(attempt.pk, outcome=again, now=world.now + timedelta(hours=1))
    assert fresh(attempt).expires_at == attempt.expires_at
    assert CustomerNotice.objects.count() == 1


def test_the_payer_finishes_it_and_it_is_paid_once(world: World) -> None:
    _, attempt = challenged(world)

    payer_actions.resume(attempt.pk, return_url=BACK, now=world.now)

    assert (fresh(attempt).status, fresh(attempt).action) == (AttemptStatus.SUCCEEDED, None)
    assert not CustomerNotice.objects.exists()  # it was not mailed yet, and would confuse them
    assert state(attempt.invoice) == ("PAID", "0.00")
    with pytest.raises(ConflictError, match="does not wait"):
        payer_actions.resume(attempt.pk, return_url=BACK, now=world.now)
    with pytest.raises(ConflictError, match="under way"):
        payer_actions.withdraw(attempt.pk, now=world.now)
    assert Payment.objects.count() == 1


def test_without_an_answer_it_goes_on_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, attempt = challenged(world)

    def silent(*_: object, **__: object) -> Charge:
        raise GatewayUnavailableError("no answer")

    monkeypatch.setattr(SandboxGateway, "resume", silent)
    monkeypatch.setattr(SandboxGateway, "withdraw", silent)
    asked: list[Callable[[], object]] = [
        lambda: payer_actions.resume(attempt.pk, return_url=BACK, now=world.now),
        lambda: payer_actions.withdraw(attempt.pk, now=world.now),
        lambda: payer_actions.expire(attempt.pk, now=world.now),
    ]
    for ask in asked:
        with pytest.raises(UnavailableError):
            ask()

    assert fresh(attempt).status == AttemptStatus.ACTION_REQUIRED


def test_a_withdrawn_payment_is_nobodys_failure(world: World) -> None:
    alice, attempt = challenged(world)

    payer_actions.withdraw(attempt.pk, now=world.now)

    assert (fresh(attempt).status, fresh(attempt).decline_code) == ("ABANDONED", "withdrawn")
    assert state(attempt.invoice) == ("PENDING", "25.00")
    assert fresh(attempt).invoice.next_charge_at == world.now + timedelta(days=1)
    world.adds_card(alice, "tok_ok")
    assert fresh(attempt).invoice.next_charge_at is None
    assert state(attempt.invoice) == ("PAID", "0.00")


def test_what_was_paid_before_it_was_withdrawn_stays_paid(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, attempt = challenged(world)
    paid = Charge(str(attempt.pk), attempt.external_id, ChargeStatus.SUCCEEDED)
    monkeypatch.setattr(SandboxGateway, "withdraw", lambda *_: paid)

    payer_actions.withdraw(attempt.pk, now=world.now)

    assert (fresh(attempt).status, state(attempt.invoice)) == ("SUCCEEDED", ("PAID", "0.00"))


def test_a_payer_who_does_not_come_is_dunned(world: World) -> None:
    _, attempt = challenged(world)
    assert sweep.sweep(now=world.now + timedelta(days=1)).expired == []

    world.at("2026-04-04")
    assert sweep.sweep(now=world.now).expired == [attempt.pk]
    payer_actions.expire(attempt.pk, now=world.now)

    assert (fresh(attempt).status, fresh(attempt).decline_code) == ("FAILED", "payer_did_not_act")
    assert state(attempt.invoice) == ("CHARGED_WITH_ERROR", "25.00")
    assert fresh(attempt).invoice.next_charge_at is not None


def test_an_invoice_paid_another_way_waits_for_nobody(world: World) -> None:
    alice, attempt = challenged(world)
    pay(world, alice, "25.00", (attempt.invoice, "25.00"))

    assert sweep.sweep(now=world.now).expired == [attempt.pk]
    payer_actions.expire(attempt.pk, now=world.now)

    assert fresh(attempt).status == AttemptStatus.ABANDONED
    assert state(attempt.invoice) == ("PAID", "0.00")


def test_what_was_never_sent_can_be_withdrawn(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice, "tok_unreachable")
    attempt = payments.collect(world.charges(bill(world, alice, "25.00")).pk, now=world.now)
    assert attempt is not None
    assert attempt.status == AttemptStatus.CREATED

    for _ in range(2):
        withdrawn = payer_actions.withdraw(attempt.pk, now=world.now)
        assert withdrawn.status == AttemptStatus.ABANDONED


def test_money_that_was_taken_after_all_is_booked_and_is_credit_if_nothing_is_owed(
    world: World,
) -> None:
    alice, attempt = challenged(world)
    payer_actions.withdraw(attempt.pk, now=world.now)
    world.adds_card(alice, "tok_ok")
    late = Charge(str(attempt.pk), attempt.external_id, ChargeStatus.SUCCEEDED)

    for _ in range(2):
        payments.settle(attempt.pk, outcome=late, now=world.now)

    assert fresh(attempt).status == AttemptStatus.SUCCEEDED
    assert Payment.objects.count() == 2
    assert fresh(attempt).payment.grants.get().remaining == attempt.amount


def test_a_payment_of_nobody_is_not_found(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    with pytest.raises(NotFoundError):
        payer_actions.resume(alice.pk, return_url=BACK, now=world.now)
