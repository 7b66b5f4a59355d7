"""Payments by hand, instalments and credit, from the admin."""

from __future__ import annotations

import re

import pytest
from django.db import models
from django.test import Client

from billing.models import CreditGrant, Invoice, Payment
from tests.admin.pressing import text_of
from tests.admin.test_actions import act
from tests.admin.urls_of import action, change
from tests.services.paying import bill, give, pay, state
from tests.world import World

pytestmark = pytest.mark.django_db


def shows(browser: Client, row: models.Model) -> str:
    answer = browser.get(change(row))
    assert answer.status_code == 200
    return text_of(answer.content)


def offers(browser: Client, row: models.Model, name: str) -> bool:
    return action(row, name) in browser.get(change(row)).content.decode()


def test_a_payment_is_entered_for_the_invoices_that_are_open(
    world: World, operator: Client
) -> None:
    alice = world.at("2026-04-01").customer("alice", currency="USD")
    first, second = bill(world, alice, "60.00"), bill(world, alice, "40.00")
    asked = operator.get(action(alice, "record_payment")).content.decode()
    assert f"For {first.number}" in asked
    assert "60.00 USD owed" in asked

    said = act(
        operator,
        alice,
        "record_payment",
        amount="70.00",
        currency="USD",
        gateway="bank_transfer",
        reference="SEPA 1",
        **{f"invoice_{second.pk}": "40.00", f"invoice_{first.pk}": "20.00"},
    )

    assert len(said) == 1
    assert re.fullmatch(r"70\.00 USD recorded for .+, .+\.", said[0])
    assert (state(first), state(second)) == (("PENDING", "40.00"), ("PAID", "0.00"))
    assert CreditGrant.objects.get().remaining.minor == 10_00
    page = shows(operator, Payment.objects.get())
    assert "SEPA 1" in page
    assert "Settles" in page
    again = act(
        operator,
        alice,
        "record_payment",
        amount="1.00",
        currency="USD",
        gateway="bank_transfer",
        reference="SEPA 1",
    )
    assert "recorded already" in again[0]


def test_a_payment_is_taken_off_an_invoice_put_on_another_and_undone(
    world: World, operator: Client
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    wrong, right = bill(world, alice, "60.00"), bill(world, alice, "40.00")
    payment = pay(world, alice, "60.00", (wrong, "60.00"))
    assert not offers(operator, payment, "allocate")

    assert act(operator, payment, "take_off", invoice=str(wrong.pk), reason="typo") == [
        f"It is taken off {wrong.number}."
    ]
    assert offers(operator, payment, "allocate")
    assert act(operator, payment, "allocate", invoice=str(right.pk), amount="") == [
        f"It is put on {right.number}."
    ]
    assert (state(wrong), state(right)) == (("PENDING", "60.00"), ("PAID", "0.00"))
    assert act(operator, payment, "undo", reason="bounced") == ["The payment is undone."]
    assert state(right) == ("PENDING", "40.00")
    assert not offers(operator, payment, "undo")


def test_an_invoice_is_paid_in_instalments(world: World, operator: Client) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = bill(world, alice, "100.00")
    entered = {"count": "3", "first_due_at": "2026-05-01", "interval": "MONTH"}

    assert act(operator, invoice, "agree_instalments", **entered) == [
        "It is paid in 3 instalments."
    ]

    assert "33.34 USD" in shows(operator, invoice)
    assert act(operator, invoice, "withdraw_instalments") == ["It is due whole again."]
    assert not Invoice.objects.get(pk=invoice.pk).instalments.exists()


def test_credit_is_given_seen_and_taken_back(world: World, operator: Client) -> None:
    alice = world.at("2026-04-01").customer("alice")
    said = act(
        operator,
        alice,
        "give_credit",
        amount="25.00",
        currency="usd",
        kind="PROMOTIONAL",
        priority="50",
        reason="Sorry",
        expires_at="2026-04-20",
    )
    assert said == ["25.00 USD of credit given."]
    bill(world, alice, "10.00")

    story = shows(operator, alice)
    assert "15.00 USD expires soon" in story
    grant = CreditGrant.objects.get()
    assert "10.00 USD" in shows(operator, grant)
    assert act(operator, grant, "void", reason="mistake") == [
        "What was left of the credit is taken back."
    ]
    assert not offers(operator, grant, "void")


def test_credit_that_was_paid_for_brings_its_payment(world: World, operator: Client) -> None:
    alice = world.at("2026-04-01").customer("alice")
    act(
        operator,
        alice,
        "give_credit",
        amount="25.00",
        currency="USD",
        kind="PAID",
        priority="50",
        reference="S 1",
    )

    assert Payment.objects.get().reference == "S 1"
    assert not offers(operator, CreditGrant.objects.get(), "void")


def test_who_may_only_look_gives_nothing(world: World, guest: Client) -> None:
    alice = world.at("2026-04-01").customer("alice")
    grant = give(world, alice, "5.00")
    for row, name in [(alice, "give_credit"), (alice, "record_payment"), (grant, "void")]:
        assert guest.post(action(row, name), {"_form_submitted": "on"}).status_code in {302, 403}
    assert CreditGrant.objects.get().remaining == grant.amount
