"""Invoices that are paid in parts."""

from __future__ import annotations

import pytest

from billing.core.errors import BillingError, ConflictError, InvalidError
from billing.core.instalments import Part, Rhythm
from billing.core.lifecycle import SubscriptionStatus
from billing.gateways.base import Charge, ChargeStatus
from billing.models import DunningRun, Instalment, Invoice, PaymentAttempt
from billing.queries import instalments as queries
from billing.services import instalments, payments, reversals
from customers.models import Customer
from plans.terms import Interval
from tests.services.paying import bill, facts, fresh, money, pay, state
from tests.world import World, instant

pytestmark = pytest.mark.django_db


def agree(world: World, invoice: Invoice, *parts: tuple[str, str]) -> None:
    wanted = [Part(money(amount), instant(day)) for amount, day in parts]
    instalments.agree(invoice.pk, wanted, by="olga", now=world.now)


def charged(invoice: Invoice) -> list[tuple[str, str, str]]:
    rows = PaymentAttempt.objects.filter(invoice=invoice).order_by("created_at", "pk")
    return [(f"{row.created_at:%m-%d}", f"{row.amount.major}", row.status) for row in rows]


def shown(invoice: Invoice) -> list[tuple[str, str, str]]:
    found = queries.agreed([invoice]).get(invoice.pk, [])
    return [
        (f"{part.due_at:%m-%d}", f"{part.amount.major}", f"{part.paid.major}") for part in found
    ]


@pytest.fixture
def alice(world: World) -> Customer:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    return alice


@pytest.fixture
def invoice(world: World, alice: Customer) -> Invoice:
    return bill(world, alice, "100.00")


def test_each_part_is_charged_when_it_is_due(world: World, invoice: Invoice) -> None:
    agree(world, invoice, ("50.00", "2026-04-10"), ("30.00", "2026-05-10"), ("20.00", "2026-06-10"))
    assert fresh(invoice.pk).next_charge_at == instant("2026-04-10")

    world.at("2026-04-30")
    assert state(invoice) == ("PENDING", "50.00")
    assert fresh(invoice.pk).next_charge_at == instant("2026-05-10")

    world.at("2026-06-11")
    assert state(invoice) == ("PAID", "0.00")
    assert charged(invoice) == [
        ("04-10", "50.00", "SUCCEEDED"),
        ("05-10", "30.00", "SUCCEEDED"),
        ("06-10", "20.00", "SUCCEEDED"),
    ]


def test_equal_parts_follow_a_rhythm(world: World, invoice: Invoice) -> None:
    rhythm = Rhythm(3, instant("2026-04-30"), Interval.MONTH)
    instalments.agree(invoice.pk, rhythm, by="olga", now=world.now)

    assert shown(invoice) == [
        ("04-30", "33.34", "0.00"),
        ("05-30", "33.33", "0.00"),
        ("06-30", "33.33", "0.00"),
    ]


def test_who_pays_more_pays_later_parts_earlier(
    world: World, alice: Customer, invoice: Invoice
) -> None:
    agree(world, invoice, ("50.00", "2026-04-10"), ("30.00", "2026-05-10"), ("20.00", "2026-06-10"))
    pay(world, alice, "65.00", (invoice, "65.00"))

    assert shown(invoice) == [
        ("04-10", "50.00", "50.00"),
        ("05-10", "30.00", "15.00"),
        ("06-10", "20.00", "0.00"),
    ]
    assert fresh(invoice.pk).next_charge_at == instant("2026-05-10")
    world.at("2026-06-11")
    assert charged(invoice) == [("05-10", "15.00", "SUCCEEDED"), ("06-10", "20.00", "SUCCEEDED")]


def test_who_has_the_invoice_charged_before_pays_the_next_part(
    world: World, invoice: Invoice
) -> None:
    agree(world, invoice, ("50.00", "2026-04-10"), ("50.00", "2026-05-10"))

    attempt = payments.charge(invoice.pk, by="alice", now=world.now)

    assert attempt is not None
    assert attempt.amount == money("50.00")
    payments.collect(attempt.pk, now=world.now)
    assert fresh(invoice.pk).next_charge_at == instant("2026-05-10")


def test_a_declined_part_is_dunned_and_the_next_is_charged_all_the_same(world: World) -> None:
    bob = world.at("2026-04-01").customer("bob")
    world.adds_card(bob, "tok_insufficient_funds")
    invoice = bill(world, bob, "100.00")
    agree(world, invoice, ("60.00", "2026-04-10"), ("40.00", "2026-04-12"))

    world.at("2026-04-12 01:00")

    assert charged(invoice) == [
        ("04-10", "60.00", "FAILED"),
        ("04-11", "60.00", "FAILED"),
        ("04-12", "100.00", "FAILED"),
    ]
    world.adds_card(bob, "tok_ok")
    assert state(invoice) == ("PAID", "0.00")
    assert charged(invoice)[-1] == ("04-12", "100.00", "SUCCEEDED")


def test_a_declined_part_that_is_paid_ends_the_dunning_until_the_next(
    world: World,
) -> None:
    bob = world.at("2026-04-01").customer("bob")
    world.adds_card(bob, "tok_insufficient_funds")
    invoice = bill(world, bob, "100.00")
    agree(world, invoice, ("60.00", "2026-04-10"), ("40.00", "2026-06-10"))
    world.at("2026-04-10 01:00")
    assert DunningRun.objects.get().status == "RUNNING"

    pay(world, bob, "60.00", (invoice, "60.00"))

    assert state(invoice) == ("CHARGED_WITH_ERROR", "40.00")
    assert DunningRun.objects.get().status == "RECOVERED"
    assert fresh(invoice.pk).next_charge_at == instant("2026-06-10")
    world.at("2026-06-12 01:00")
    tries = [day for day, _, status in charged(invoice) if status == "FAILED"]
    assert tries == ["04-10", "06-10", "06-11"]  # the first part's decline does not count


def test_a_subscription_is_in_good_standing_while_no_part_is_overdue(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice, "tok_insufficient_funds")
    world.at("2026-05-01 01:00")
    invoice = world.newest_invoice(alice)
    assert world.subscription(alice).status == SubscriptionStatus.PAST_DUE

    agree(world, invoice, ("100.00", "2026-06-15"), ("14.00", "2026-07-15"))

    assert world.subscription(alice).status == SubscriptionStatus.ACTIVE
    assert DunningRun.objects.get(invoice=invoice).status == "RECOVERED"


def test_a_part_that_falls_due_during_a_charge_is_charged_after_it(world: World) -> None:
    bob = world.at("2026-04-01").customer("bob")
    world.adds_card(bob, "tok_processing")
    invoice = bill(world, bob, "100.00")
    agree(world, invoice, ("60.00", "2026-04-10"), ("40.00", "2026-04-12"))
    world.at("2026-04-13")
    attempt = PaymentAttempt.objects.get()
    assert (attempt.status, fresh(invoice.pk).next_charge_at) == ("PROCESSING", None)

    payments.settle(
        attempt.pk,
        outcome=Charge(str(attempt.pk), "ch.1", ChargeStatus.SUCCEEDED),
        now=world.now,
    )
    world.at("2026-04-14")

    assert [amount for _, amount, _ in charged(invoice)] == ["60.00", "40.00"]


def test_a_schedule_is_replaced_and_withdrawn(world: World, invoice: Invoice) -> None:
    agree(world, invoice, ("50.00", "2026-04-10"), ("50.00", "2026-05-10"))
    agree(world, invoice, ("10.00", "2026-04-20"), ("90.00", "2026-05-20"))
    assert shown(invoice) == [("04-20", "10.00", "0.00"), ("05-20", "90.00", "0.00")]

    instalments.withdraw(invoice.pk, by="olga", now=world.now)
    instalments.withdraw(invoice.pk, by="olga", now=world.now)

    assert not Instalment.objects.exists()
    assert fresh(invoice.pk).next_charge_at is None
    assert facts(invoice.customer, "INSTALMENTS_AGREED", "INSTALMENTS_WITHDRAWN") == [
        "INSTALMENTS_AGREED",
        "INSTALMENTS_AGREED",
        "INSTALMENTS_WITHDRAWN",
    ]


def test_less_asked_for_shrinks_the_last_parts(world: World, invoice: Invoice) -> None:
    agree(world, invoice, ("50.00", "2026-04-10"), ("30.00", "2026-05-10"), ("20.00", "2026-06-10"))

    instalments.lessen(invoice, money("35.00"))

    assert [(row.position, row.amount_minor) for row in Instalment.objects.order_by("pk")] == [
        (1, 50_00),
        (2, 15_00),
    ]


def test_a_payment_of_a_part_that_is_undone_is_due_again(
    world: World, alice: Customer, invoice: Invoice
) -> None:
    agree(world, invoice, ("50.00", "2026-04-10"), ("50.00", "2026-05-10"))
    payment = pay(world, alice, "50.00", (invoice, "50.00"))

    reversals.reverse_allocation(payment.pk, invoice.pk, by="olga", reason="wrong", now=world.now)

    assert shown(invoice) == [("04-10", "50.00", "0.00"), ("05-10", "50.00", "0.00")]
    [(_, due)] = queries.due_on([fresh(invoice.pk)], now=instant("2026-04-10"))
    assert due == money("50.00")


def test_what_is_not_owed_is_not_agreed(world: World, alice: Customer, invoice: Invoice) -> None:
    with pytest.raises(InvalidError, match=r"100\.00 USD"):
        agree(world, invoice, ("50.00", "2026-04-10"), ("60.00", "2026-05-10"))
    draft = world.drafts(alice, "10.00")
    with pytest.raises(ConflictError) as refused:
        agree(world, draft, ("10.00", "2026-05-10"))
    assert refused.value.code == "nothing_owed"
    payments.charge(invoice.pk, by="test", now=world.now)
    with pytest.raises(BillingError) as busy:
        agree(world, invoice, ("100.00", "2026-04-10"))
    assert busy.value.code == "charge_under_way"
