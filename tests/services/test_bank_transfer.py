from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail

from billing.core import references
from billing.core.errors import ConflictError, InvalidError
from billing.core.lifecycle import AttemptStatus
from billing.gateways import registry
from billing.models import CustomerNotice, Invoice, Payment, PaymentAttempt
from billing.services import (
    following,
    incoming,
    notices,
    payer_actions,
    payment_methods,
    payments,
    routes,
    sweep,
)
from billing.services.choosing import Wanted
from billing.services.incoming import Incoming
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer
from tests.services.paying import bill, money, state
from tests.world import World

pytestmark = pytest.mark.django_db

URLS = ReturnUrls("https://example.org/ok", "https://example.org/no")


def pays_by_transfer(world: World, name: str = "alice") -> Customer:
    routes.update("bank_transfer", {"is_enabled": True}, by="olga", now=world.now)
    customer = world.customer(name)
    payment_methods.start_checkout(
        customer, urls=URLS, now=world.now, wanted=Wanted(kind="bank_transfer")
    )
    return customer


def charged(world: World, customer: Customer, amount: str = "25.00") -> PaymentAttempt:
    invoice = bill(world, customer, amount)
    attempt = payments.collect(world.charges(invoice).pk, now=world.now)
    assert attempt is not None
    return attempt


def reference_of(invoice: Invoice) -> str:
    return references.creditor_reference(str(invoice.number))


def arrives(world: World, amount: str, reference: str) -> Payment:
    customer_id, invoices = incoming.payer_of(reference, "USD")
    named = [(invoice.pk, None) for invoice in invoices]
    return incoming.record(
        customer_id,
        money(amount),
        Incoming("bank_transfer", reference, invoices=named),
        by="olga",
        now=world.now,
    )


def test_it_is_off_until_an_operator_switches_it_on(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")

    with pytest.raises(InvalidError, match="switched off"):
        payment_methods.start_checkout(
            alice, urls=URLS, now=world.now, wanted=Wanted("bank_transfer")
        )


def test_a_charge_asks_for_a_transfer_and_tells_where_to_read_how(world: World) -> None:
    alice = pays_by_transfer(world.at("2026-04-01"))

    attempt = charged(world, alice)

    assert attempt.status == AttemptStatus.ACTION_REQUIRED
    assert (attempt.action["kind"], attempt.expires_at) == ("TRANSFER", None)
    assert state(attempt.invoice)[0] == "PENDING"
    notice = CustomerNotice.objects.get()
    assert f"/billing/invoices/{attempt.invoice_id}/" in notice.text
    assert notices.tell(notice.pk, now=world.now)
    assert not notices.tell(notice.pk, now=world.now)
    assert [message.to for message in mail.outbox] == [["alice@example.org"]]


def test_what_arrives_is_matched_by_its_reference(world: World) -> None:
    alice = pays_by_transfer(world.at("2026-04-01"))
    bob = pays_by_transfer(world, "bob")
    mine, theirs = charged(world, alice), charged(world, bob)

    payment = arrives(world, "25.00", f"Thanks! {reference_of(mine.invoice)}")

    assert payment.customer == alice
    assert (state(mine.invoice), state(theirs.invoice)) == (("PAID", "0.00"), ("PENDING", "25.00"))
    mine.refresh_from_db()
    assert (mine.status, mine.decline_code) == (AttemptStatus.ABANDONED, "transfer_arrived")


def test_a_part_leaves_the_rest_awaited_and_what_is_over_is_credit(world: World) -> None:
    alice = pays_by_transfer(world.at("2026-04-01"))
    attempt = charged(world, alice)

    arrives(world, "20.00", str(attempt.invoice.number))
    assert state(attempt.invoice) == ("PENDING", "5.00")
    assert PaymentAttempt.objects.get().status == AttemptStatus.ACTION_REQUIRED

    payment = arrives(world, "6.00", f"rest of {attempt.invoice.number}")
    assert state(attempt.invoice) == ("PAID", "0.00")
    assert payment.grants.get().remaining == money("1.00")


def test_a_transfer_that_names_two_settles_what_it_reaches(world: World) -> None:
    alice = pays_by_transfer(world.at("2026-04-01"))
    first, second = charged(world, alice), charged(world, alice, "30.00")

    arrives(world, "25.00", f"{first.invoice.number} {second.invoice.number}")

    assert state(first.invoice) == ("PAID", "0.00")
    assert state(second.invoice) == ("PENDING", "30.00")


def test_a_reference_of_nobody_or_of_several_says_so(world: World) -> None:
    alice = pays_by_transfer(world.at("2026-04-01"))
    bob = pays_by_transfer(world, "bob")
    numbers = [str(charged(world, customer).invoice.number) for customer in (alice, bob)]

    for text in ("rent for April", " ".join(numbers)):
        with pytest.raises(InvalidError) as refused:
            incoming.payer_of(text, "USD")
        assert refused.value.code == "no_match"


def test_while_it_is_awaited_nothing_else_is_charged_until_it_is_withdrawn(world: World) -> None:
    alice = pays_by_transfer(world.at("2026-04-01"))
    attempt = charged(world, alice)
    with pytest.raises(ConflictError, match="under way"):
        payments.charge(attempt.invoice_id, by="test", now=world.now)

    payer_actions.withdraw(attempt.pk, now=world.now)
    world.adds_card(alice)

    assert state(attempt.invoice) == ("PAID", "0.00")
    assert Payment.objects.get().gateway == "sandbox"


def test_an_overdue_transfer_is_dunned_though_it_is_awaited(world: World) -> None:
    alice = pays_by_transfer(world.at("2026-04-01"))
    attempt = charged(world, alice)

    world.at("2026-05-01")

    assert state(attempt.invoice)[0] == "CHARGED_WITH_ERROR"
    assert arrives(world, "25.00", reference_of(attempt.invoice)).amount == money("25.00")
    assert state(attempt.invoice) == ("PAID", "0.00")


def test_asking_about_a_transfer_changes_nothing(world: World) -> None:
    alice = pays_by_transfer(world.at("2026-04-01"))
    attempt = charged(world, alice)

    found = sweep.sweep(now=world.now + timedelta(days=1))
    assert found.asked == [attempt.pk]
    asked = following.charge(attempt.pk, now=world.now)

    assert asked.status == AttemptStatus.ACTION_REQUIRED
    assert CustomerNotice.objects.count() == 1
    assert registry.get("bank_transfer").fetch("refund", "x") is None
