"""What was entered of a payment, undone."""

from __future__ import annotations

import pytest

from billing.core.crediting import Request
from billing.core.errors import BillingError, ConflictError, NotFoundError
from billing.core.returning import Destination
from billing.models import Allocation, CreditGrant, Payment, Seller
from billing.models.invoice import Invoice
from billing.services import credit_notes, payments, reversals
from billing.services.credit_notes import Order
from customers.models import Customer
from tests.services.paying import account, bill, facts, fresh, left, money, pay, state
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(world: World) -> Customer:
    return world.at("2026-04-01").customer("alice")


def undo(world: World, payment: Payment, invoice: Invoice) -> None:
    reversals.reverse_allocation(
        payment.pk, invoice.pk, by="olga", reason="wrong invoice", now=world.now
    )


def bounce(world: World, payment: Payment) -> Payment:
    return reversals.reverse(payment.pk, by="olga", reason="bounced", now=world.now)


def test_an_undone_allocation_is_owed_again_and_its_money_is_credit(
    world: World, alice: Customer
) -> None:
    invoice = bill(world, alice, "100.00")
    payment = pay(world, alice, "100.00", (invoice, "100.00"))

    undo(world, payment, invoice)

    assert state(invoice) == ("PENDING", "100.00")
    assert (fresh(invoice.pk).paid_at, fresh(invoice.pk).next_charge_at) == (None, None)
    assert left(alice) == [("PAID", "100.00")]
    row = Allocation.objects.get()
    assert (row.reversed_at, row.reversed_by) == (world.now, "olga")
    assert account("customer_credit", alice) == -100_00


def test_the_credit_of_a_payment_is_put_on_the_right_invoice(world: World, alice: Customer) -> None:
    wrong, right = bill(world, alice, "100.00"), bill(world, alice, "80.00")
    payment = pay(world, alice, "100.00", (wrong, "100.00"))
    undo(world, payment, wrong)

    reversals.allocate(payment.pk, right.pk, by="olga", now=world.now)

    assert (state(wrong), state(right)) == (("PENDING", "100.00"), ("PAID", "0.00"))
    assert left(alice) == [("PAID", "20.00")]
    undo(world, payment, right)
    assert state(right) == ("PENDING", "80.00")
    assert left(alice) == [("PAID", "100.00")]
    assert facts(alice, "CREDIT_APPLIED", "CREDIT_TAKEN_OFF") == [
        "CREDIT_APPLIED",
        "CREDIT_TAKEN_OFF",
    ]


def test_what_was_given_back_is_not_owed_again(world: World, alice: Customer) -> None:
    invoice = bill(world, alice, "100.00")
    payment = pay(world, alice, "100.00", (invoice, "100.00"))
    order = Order(Request(amount=money("30.00")), to=Destination.BALANCE)
    credit_notes.issue(invoice.pk, order, by="olga", now=world.now)

    for act in (lambda: undo(world, payment, invoice), lambda: bounce(world, payment)):
        with pytest.raises(ConflictError) as refused:
            act()
        assert refused.value.code == "invoice_credited"
    assert state(invoice) == ("PAID", "0.00")


def test_back_and_forth_at_one_instant_is_all_in_the_books(world: World, alice: Customer) -> None:
    invoice = bill(world, alice, "100.00")
    payment = pay(world, alice, "100.00", (invoice, "100.00"))
    undo(world, payment, invoice)
    for _ in range(3):
        reversals.allocate(payment.pk, invoice.pk, by="olga", now=world.now)
        undo(world, payment, invoice)

    assert state(invoice) == ("PENDING", "100.00")
    assert left(alice) == [("PAID", "100.00")]


def test_what_was_let_go_is_owed_again_with_the_rest(world: World, alice: Customer) -> None:
    bill(world, alice, "1.00")
    Seller.objects.update(tolerance_minor=50)
    invoice = bill(world, alice, "100.00")
    payment = pay(world, alice, "99.60", (invoice, "99.60"))
    assert state(invoice) == ("PAID", "0.00")

    undo(world, payment, invoice)

    assert state(invoice) == ("PENDING", "100.00")
    assert account("rounding", alice) == 0


def test_an_allocation_is_undone_once(world: World, alice: Customer) -> None:
    invoice = bill(world, alice, "100.00")
    payment = pay(world, alice, "100.00", (invoice, "100.00"))
    undo(world, payment, invoice)

    with pytest.raises(NotFoundError):
        undo(world, payment, invoice)


def test_a_charge_that_was_put_on_the_wrong_invoice_can_be_moved(
    world: World, alice: Customer
) -> None:
    world.adds_card(alice)
    invoice, other = bill(world, alice, "100.00"), bill(world, alice, "40.00")
    attempt = payments.charge(invoice.pk, by="test", now=world.now)
    assert attempt is not None
    payments.collect(attempt.pk, now=world.now)
    payment = Payment.objects.get()

    undo(world, payment, invoice)
    reversals.allocate(payment.pk, other.pk, amount=money("40.00"), by="olga", now=world.now)

    assert (state(invoice), state(other)) == (("PENDING", "100.00"), ("PAID", "0.00"))
    again = payments.charge(invoice.pk, by="test", now=world.now)
    assert again is not None
    payments.collect(again.pk, now=world.now)
    assert state(invoice) == ("PAID", "0.00")
    assert left(alice) == [("PAID", "60.00")]


def test_a_payment_that_bounces_is_owed_again_everywhere(world: World, alice: Customer) -> None:
    first, second = bill(world, alice, "60.00"), bill(world, alice, "30.00")
    payment = pay(world, alice, "120.00", (first, "60.00"), (second, "30.00"))
    third = bill(world, alice, "25.00")  # which the credit settles
    assert state(third) == ("PAID", "0.00")

    bounced = bounce(world, payment)

    assert bounced.reversed_at == world.now
    assert [state(row) for row in (first, second, third)] == [
        ("PENDING", "60.00"),
        ("PENDING", "30.00"),
        ("PENDING", "25.00"),
    ]
    assert left(alice) == []
    for code in ("cash:bank_transfer", "customer_credit"):
        assert account(code, alice) == 0
    assert account("receivables", alice) == 115_00
    with pytest.raises(ConflictError) as refused:
        bounce(world, payment)
    assert refused.value.code == "payment_reversed"


def test_a_payment_bounces_after_an_allocation_of_it_was_undone(
    world: World, alice: Customer
) -> None:
    invoice = bill(world, alice, "60.00")
    payment = pay(world, alice, "60.00", (invoice, "60.00"))
    undo(world, payment, invoice)

    bounce(world, payment)

    assert left(alice) == []
    assert account("customer_credit", alice) == 0


def test_a_gateways_payment_is_not_undone_by_hand(world: World, alice: Customer) -> None:
    world.adds_card(alice)
    attempt = payments.charge(bill(world, alice, "10.00").pk, by="test", now=world.now)
    assert attempt is not None
    payments.collect(attempt.pk, now=world.now)

    with pytest.raises(ConflictError) as refused:
        bounce(world, Payment.objects.get())
    assert refused.value.code == "charged_by_gateway"


def test_only_what_is_credit_of_the_payment_can_be_put_elsewhere(
    world: World, alice: Customer
) -> None:
    first, second = bill(world, alice, "60.00"), bill(world, alice, "30.00")
    payment = pay(world, alice, "70.00", (first, "60.00"))
    used = pay(world, alice, "1.00", (second, "1.00"))

    for its, amount, code in [
        (payment, "10.01", "not_enough_credit"),
        (payment, "29.01", "invalid_amount"),
        (payment, "0.00", "invalid_amount"),
        (used, None, "not_enough_credit"),
    ]:
        with pytest.raises(BillingError) as refused:
            reversals.allocate(
                its.pk,
                second.pk,
                amount=None if amount is None else money(amount),
                by="olga",
                now=world.now,
            )
        assert refused.value.code == code
    assert CreditGrant.objects.get().remaining == money("10.00")
