"""What nobody pays in time, and how dunning ends, by the day; two sweepers at once."""

from __future__ import annotations

import pytest
from django.db import transaction

from billing.core.changes import Act
from billing.core.dunning import DunningReason, DunningStatus, FinalAct, Notice
from billing.core.lifecycle import AttemptStatus, InvoiceStatus, SubscriptionStatus
from billing.gateways.base import Charge, ChargeStatus
from billing.models import (
    DunningRun,
    Instalment,
    JournalEntry,
    PaymentAttempt,
    Subscription,
)
from billing.queries import balances
from billing.services import (
    dunning_days,
    payments,
    schedule,
    sweep,
)
from billing.services.schedule import Wish
from customers.models import Customer
from tests.services.dunned import (
    STRICT,
    billed_by_hand,
    changed,
    made,
    run_of,
    subscriber,
    told,
)
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db


def test_an_invoice_that_nobody_pays_in_time_falls_overdue(world: World) -> None:
    made()
    alice = world.at("2026-04-01 10:00").customer("alice")
    invoice = billed_by_hand(world, alice)

    world.at("2026-04-15 09:59")
    assert not DunningRun.objects.exists()

    world.at("2026-04-15 10:00")
    run = run_of(alice)
    assert (run.reason, run.started_at) == (DunningReason.OVERDUE, instant("2026-04-15 10:00"))
    invoice.refresh_from_db()
    assert (invoice.status, invoice.next_charge_at) == (InvoiceStatus.CHARGED_WITH_ERROR, None)
    assert told(alice) == [("04-15 10:00", f"Invoice {invoice.number} is not paid")]

    world.at("2026-05-01")
    assert run_of(alice).status == DunningStatus.EXHAUSTED


def test_the_subscription_of_an_overdue_invoice_falls_past_due(world: World) -> None:
    made()
    alice = subscriber(world, "tok_expired")
    world.at("2026-04-28")
    alice.payment_methods.update(is_default=False)  # there is none to charge
    world.at("2026-05-02")
    assert world.newest_invoice(alice).status == InvoiceStatus.PENDING

    world.at("2026-05-16")

    assert run_of(alice).reason == DunningReason.OVERDUE
    subscription = world.subscription(alice)
    assert subscription.status == SubscriptionStatus.PAST_DUE
    assert subscription.past_due_at == instant("2026-05-15")


def test_what_is_being_charged_is_not_overdue(world: World) -> None:
    made()
    alice = subscriber(world, "tok_processing")

    world.at("2026-06-20")

    assert not DunningRun.objects.filter(customer=alice).exists()


def test_parts_are_overdue_on_their_own_days(world: World) -> None:
    made(changed(notices=(), final_after_days=60, final_act=FinalAct.NOTHING))
    alice = world.at("2026-04-01").customer("alice")
    invoice = billed_by_hand(world, alice)
    for position, day in enumerate(("2026-05-01", "2026-06-01"), start=1):
        Instalment.objects.create(
            invoice=invoice, position=position, amount_minor=50_00, due_at=instant(day)
        )

    world.at("2026-04-30")
    assert not DunningRun.objects.exists()

    world.at("2026-05-02")
    assert run_of(alice).started_at == instant("2026-05-01")


@pytest.mark.parametrize(
    ("act", "subscription", "invoice", "owed"),
    [
        (FinalAct.NOTHING, "PAST_DUE", "CHARGED_WITH_ERROR", 114_00),
        (FinalAct.PAUSE, "PAUSED", "CHARGED_WITH_ERROR", 114_00),
        (FinalAct.CANCEL, "CANCELED", "CHARGED_WITH_ERROR", 114_00),
        (FinalAct.WRITE_OFF, "CANCELED", "UNCOLLECTIBLE", 0),
    ],
)
def test_the_final_act_is_done_on_its_day(
    world: World, *, act: FinalAct, subscription: str, invoice: str, owed: int
) -> None:
    made(changed(final_act=act))
    alice = subscriber(world, "tok_expired")

    world.at("2026-05-10 23:59")
    assert world.subscription(alice).status == SubscriptionStatus.PAST_DUE

    world.at("2026-05-11")
    run = run_of(alice)
    assert run.status == DunningStatus.EXHAUSTED
    assert world.subscription(alice).status == subscription
    assert run.invoice.status == invoice
    assert balances.due_on([run.invoice])[run.invoice.pk] == owed
    written_off = JournalEntry.objects.filter(kind="INVOICE_WRITTEN_OFF")
    assert written_off.count() == (1 if act == FinalAct.WRITE_OFF else 0)


def test_only_what_is_still_owed_is_written_off(world: World) -> None:
    made(changed(final_act=FinalAct.WRITE_OFF))
    alice = world.at("2026-04-01").customer("alice")
    invoice = billed_by_hand(world, alice)
    invoice.status = InvoiceStatus.CHARGED_WITH_ERROR
    invoice.save()
    with transaction.atomic():
        dunning_days.write_off(invoice, by="test", now=world.now)

    (entry,) = JournalEntry.objects.filter(kind="INVOICE_WRITTEN_OFF").prefetch_related("lines")
    assert entry.idempotency_key == f"invoice:{invoice.pk}:written_off"
    assert {
        (line.account_id, line.side, line.amount_minor, line.invoice_id)
        for line in entry.lines.all()
    } == {
        ("bad_debt", "DEBIT", 100_00, invoice.pk),
        ("receivables", "CREDIT", 100_00, invoice.pk),
    }


def test_a_final_act_that_cannot_be_is_noted_and_holds_up_nothing(world: World) -> None:
    made(changed(final_act=FinalAct.PAUSE))
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-05")
    schedule.change(
        world.subscription(alice).pk,
        Wish(act=Act.PAUSE, when=instant("2026-05-20")),
        by="test",
        now=world.now,
    )

    world.at("2026-05-12")

    run = run_of(alice)
    assert run.status == DunningStatus.EXHAUSTED
    assert run.note.startswith("Could not pause: ")
    assert world.subscription(alice).status == SubscriptionStatus.PAST_DUE


def test_somebody_who_has_canceled_already_is_not_canceled_again(world: World) -> None:
    made()
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-05").cancels(alice, when="now")

    world.at("2026-05-12")

    assert (run_of(alice).status, run_of(alice).note) == (DunningStatus.EXHAUSTED, "")


def test_the_end_waits_for_a_charge_that_is_under_way(world: World) -> None:
    made()
    alice = subscriber(world, "tok_insufficient_funds")
    world.at("2026-05-10").adds_card(alice, "tok_processing")

    world.at("2026-05-13")

    run = run_of(alice)
    assert (run.status, run.due_at) == (DunningStatus.RUNNING, instant("2026-05-14"))
    attempt = PaymentAttempt.objects.get(status=AttemptStatus.PROCESSING)
    succeeded = Charge(str(attempt.pk), attempt.external_id, ChargeStatus.SUCCEEDED)
    payments.settle(attempt.pk, outcome=succeeded, now=world.now)
    assert run_of(alice).status == DunningStatus.RECOVERED
    assert world.subscription(alice).status == SubscriptionStatus.ACTIVE


def test_a_late_sweeper_gives_the_latest_notice_only(world: World) -> None:
    notices = (Notice(2, "First", "x"), Notice(7, "Second", "x"))
    made(changed(notices=notices, final_act=FinalAct.NOTHING))
    alice = subscriber(world, "tok_expired")
    clock = world.at("2026-05-01").clock
    clock.now = instant("2026-05-09")
    clock.save()

    dunning_days.step(now=clock.now, clock=clock)

    assert told(alice) == [("05-09 00:00", "Second")]
    assert run_of(alice).due_at == instant("2026-05-11")


@pytest.mark.django_db(transaction=True)
def test_two_sweepers_at_once_do_everything_once(world: World) -> None:
    made(changed(final_act=FinalAct.WRITE_OFF))
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-08 12:00")
    Customer.objects.filter(pk=alice.pk).update(test_clock=None)
    late = instant("2026-05-11")
    Subscription.objects.update(due_at=None)

    outcomes = at_once(*(lambda: sweep.sweep(now=late) for _ in range(4)))

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert run_of(alice).status == DunningStatus.EXHAUSTED
    assert JournalEntry.objects.filter(kind="INVOICE_WRITTEN_OFF").count() == 1
    assert JournalEntry.objects.filter(kind="DUNNING_ENDED").count() == 1
    Subscription.objects.update(due_at=None)


@pytest.mark.django_db(transaction=True)
def test_two_sweepers_at_once_give_one_notice_and_begin_one_run(world: World) -> None:
    made()
    alice = world.at("2026-04-01 10:00").customer("alice")
    billed_by_hand(world, alice)
    Customer.objects.filter(pk=alice.pk).update(test_clock=None)

    outcomes = at_once(*(lambda: sweep.sweep(now=instant("2026-04-15 10:00")) for _ in range(4)))

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert run_of(alice).reason == DunningReason.OVERDUE
    sweep.sweep(now=instant("2026-04-15 10:00"))
    assert len(told(alice)) == 1


def test_one_run_that_fails_is_put_off_and_holds_up_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    made()
    alice, bob = (world.at("2026-03-28 09:00").signs_up(name, "Premium") for name in "ab")
    for customer in (alice, bob):
        world.at("2026-04-11 15:00").adds_card(customer, "tok_expired")
    world.at("2026-05-02")
    DunningRun.objects.filter(customer=alice).update(terms={})

    world.at("2026-05-08 01:00")

    assert run_of(alice).due_at == instant("2026-05-09")
    assert len(told(bob)) == 2
    assert "A dunning run is put off" in caplog.text
    DunningRun.objects.filter(customer=alice).update(terms=STRICT.to_json())
