"""Money that operators record: bank transfers, cash."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.core.errors import BillingError, ConflictError, InvalidError, NotFoundError
from billing.core.lifecycle import InvoiceStatus
from billing.gateways.base import Charge, ChargeStatus
from billing.models import Allocation, CreditGrant, Invoice, Payment, PaymentAttempt, Seller
from billing.services import incoming, invoices, payments, reversals
from billing.services.incoming import Incoming
from customers.models import Customer
from tests.services.paying import account, bill, facts, left, money, pay, state
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(world: World) -> Customer:
    return world.at("2026-04-01").customer("alice")


def test_a_transfer_settles_the_invoice_that_it_names(world: World, alice: Customer) -> None:
    invoice = bill(world, alice, "100.00")

    payment = pay(world, alice, "100.00", (invoice, "100.00"), reference="SEPA 1")

    assert state(invoice) == ("PAID", "0.00")
    assert (payment.gateway, payment.reference, payment.created_by) == (
        "bank_transfer",
        "SEPA 1",
        "olga",
    )
    assert account("cash:bank_transfer", alice) == 100_00
    assert account("receivables", alice) == 0


def test_one_payment_settles_several_invoices_and_the_rest_is_credit(
    world: World, alice: Customer
) -> None:
    first, second = bill(world, alice, "60.00"), bill(world, alice, "50.00")

    pay(world, alice, "120.00", (first, "60.00"), (second, "50.00"))

    assert (state(first), state(second)) == (("PAID", "0.00"), ("PAID", "0.00"))
    assert left(alice) == [("PAID", "10.00")]
    assert account("customer_credit", alice) == -10_00


def test_one_invoice_takes_several_payments(world: World, alice: Customer) -> None:
    invoice = bill(world, alice, "100.00")

    pay(world, alice, "30.00", (invoice, "30.00"))
    assert state(invoice) == ("PENDING", "70.00")
    pay(world, alice, "70.00", (invoice, "70.00"))

    assert state(invoice) == ("PAID", "0.00")
    assert Allocation.objects.filter(invoice=invoice).count() == 2


def test_without_names_what_is_due_first_is_settled_first(world: World, alice: Customer) -> None:
    old = bill(world, alice, "60.00")
    new = bill(world.at("2026-04-05"), alice, "50.00")

    pay(world, alice, "80.00")

    assert (state(old), state(new)) == (("PAID", "0.00"), ("PENDING", "30.00"))


def test_more_than_everything_owed_becomes_credit_for_the_next_invoice(
    world: World, alice: Customer
) -> None:
    bill(world, alice, "60.00")
    pay(world, alice, "100.00")

    following = bill(world, alice, "50.00")

    assert state(following) == ("PENDING", "10.00")
    assert left(alice) == []


def test_money_for_no_invoice_is_credit(world: World, alice: Customer) -> None:
    invoice = bill(world, alice, "60.00")

    incoming.record(
        alice.pk, money("60.00"), Incoming("cash", invoices=[]), by="olga", now=world.now
    )

    assert state(invoice) == ("PENDING", "60.00")
    assert left(alice) == [("PAID", "60.00")]


def test_more_than_an_invoice_needs_is_credit(world: World, alice: Customer) -> None:
    invoice = bill(world, alice, "60.00")

    pay(world, alice, "75.00", (invoice, "75.00"))

    assert state(invoice) == ("PAID", "0.00")
    assert left(alice) == [("PAID", "15.00")]


@pytest.mark.parametrize(
    ("paid", "expected"),
    [("99.50", ("PAID", "0.00")), ("99.49", ("PENDING", "0.51")), ("100.00", ("PAID", "0.00"))],
)
def test_a_small_difference_is_let_go_as_far_as_the_seller_allows(
    world: World, alice: Customer, paid: str, expected: tuple[str, str]
) -> None:
    bill(world, alice, "1.00")  # which makes the default seller
    Seller.objects.update(tolerance_minor=50)
    invoice = bill(world, alice, "100.00")

    pay(world, alice, paid, (invoice, paid))

    assert state(invoice) == expected
    assert account("rounding", alice) == (50 if paid == "99.50" else 0)


def test_the_same_reference_is_refused_but_after_an_undo(world: World, alice: Customer) -> None:
    bill(world, alice, "100.00")
    payment = pay(world, alice, "40.00", reference="SEPA 1")

    with pytest.raises(ConflictError) as refused:
        pay(world, alice, "40.00", reference="SEPA 1")
    assert refused.value.code == "duplicate_payment"

    reversals.reverse(payment.pk, by="olga", reason="typo", now=world.now)
    pay(world, alice, "40.00", reference="SEPA 1")
    assert Payment.objects.filter(reversed_at=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_reference_is_recorded_once_whoever_is_said_to_have_paid(world: World) -> None:
    people = [world.at("2026-04-01").customer(f"alice{n}") for n in range(8)]

    found = at_once(
        *(lambda who=who: pay(world, who, "40.00", reference="SEPA 1") for who in people)
    )

    assert len([one for one in found if isinstance(one, Payment)]) == 1
    assert {one.code for one in found if isinstance(one, BillingError)} == {"duplicate_payment"}


def test_what_makes_no_sense_is_refused_with_its_reason(world: World, alice: Customer) -> None:
    bob = world.customer("bob")
    theirs, yen = bill(world, bob, "10.00"), bill(world, alice, "100", "JPY")
    draft = world.drafts(alice, "10.00")
    paid = bill(world, alice, "10.00")
    pay(world, alice, "10.00", (paid, "10.00"))
    canceled = world.drafts(alice, "10.00")
    invoices.cancel(canceled.pk, by="olga", now=world.now)
    owed = bill(world, alice, "10.00")

    for named, code in [
        ([(theirs, "10.00")], "no_such_invoice"),
        ([(yen, "10.00")], "currency_mismatch"),
        ([(draft, "10.00")], "not_finalized"),
        ([(canceled, "10.00")], "not_finalized"),
        ([(paid, "10.00")], "nothing_owed"),
        ([(owed, "11.00")], "invalid_allocation"),
        ([(owed, "5.00"), (owed, "5.00")], "invoice_named_twice"),
    ]:
        with pytest.raises(BillingError) as refused:
            pay(world, alice, "10.00", *named)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("amount", "told", "code"),
    [
        ("0.00", Incoming("cash"), "invalid_amount"),
        ("-1.00", Incoming("cash"), "invalid_amount"),
        ("1.00", Incoming("Cash!"), "invalid_gateway"),
        ("1.00", Incoming("sandbox"), "invalid_gateway"),
    ],
)
def test_a_payment_has_an_amount_and_a_way(
    alice: Customer, amount: str, told: Incoming, code: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        incoming.record(alice.pk, money(amount), told, by="olga", now=instant("2026-04-01"))
    assert refused.value.code == code


def test_money_of_tomorrow_is_not_recorded_today(world: World, alice: Customer) -> None:
    told = Incoming("cash", received_at=world.now + timedelta(days=1))
    with pytest.raises(InvalidError) as refused:
        incoming.record(alice.pk, money("1.00"), told, by="olga", now=world.now)
    assert refused.value.code == "in_the_future"


def test_nobody_unknown_pays(world: World, alice: Customer) -> None:
    with pytest.raises(NotFoundError):
        pay(world, Customer(), "1.00")


def test_a_charge_that_succeeds_after_a_transfer_becomes_credit(
    world: World, alice: Customer
) -> None:
    world.adds_card(alice, "tok_processing")
    invoice = bill(world, alice, "100.00")
    attempt = payments.charge(invoice.pk, by="test", now=world.now)
    assert attempt is not None
    pay(world, alice, "100.00", (invoice, "100.00"))

    payments.settle(
        attempt.pk,
        outcome=Charge(str(attempt.pk), "ch.1", ChargeStatus.SUCCEEDED),
        now=world.now,
    )

    assert state(invoice) == ("PAID", "0.00")
    assert left(alice) == [("PAID", "100.00")]
    assert facts(alice, "PAYMENT_RECEIVED") == ["PAYMENT_RECEIVED"] * 2


def test_a_charge_that_is_declined_after_a_transfer_changes_nothing(
    world: World, alice: Customer
) -> None:
    world.adds_card(alice, "tok_processing")
    invoice = bill(world, alice, "100.00")
    attempt = payments.charge(invoice.pk, by="test", now=world.now)
    assert attempt is not None
    pay(world, alice, "100.00", (invoice, "100.00"))

    payments.settle(
        attempt.pk, outcome=Charge(str(attempt.pk), "ch.1", ChargeStatus.DECLINED), now=world.now
    )

    assert state(invoice) == ("PAID", "0.00")
    assert PaymentAttempt.objects.get().status == "FAILED"


@pytest.mark.django_db(transaction=True)
def test_many_payments_at_once_settle_an_invoice_once(world: World, alice: Customer) -> None:
    invoice = bill(world, alice, "100.00")

    at_once(*(lambda n=n: pay(world, alice, "100.00", reference=f"SEPA {n}") for n in range(6)))

    assert Invoice.objects.get(pk=invoice.pk).status == InvoiceStatus.PAID
    assert Allocation.objects.count() == 1
    assert CreditGrant.objects.count() == 5
    assert account("customer_credit", alice) == -500_00
