"""Crediting, refunding and deciding from the admin: first what goes where, then the deed."""

from __future__ import annotations

import pytest
from django.db import models
from django.test import Client
from django.utils.html import strip_tags

from billing.models import CreditNote, Dispute, Refund
from billing.services import disputes
from customers.models import Customer
from tests.admin.pressing import collect, do, send, text_of
from tests.admin.urls_of import action, change
from tests.services import paying
from tests.services.paying import left, state
from tests.services.returning import bills, payment_of, pays, refund, taxes
from tests.world import World

pytestmark = pytest.mark.django_db


def press(browser: Client, row: models.Model, name: str, **entered: str) -> list[str]:
    """Answer a dialog; the messages."""
    return send(browser, row, name, _form_submitted="on", **entered)[1]


@pytest.fixture
def carol(world: World) -> Customer:
    """A customer who pays by card."""
    return world.at("2026-04-01").customer("carol")


def test_a_credit_says_what_goes_where_before_it_is_done(
    world: World, carol: Customer, operator: Client
) -> None:
    taxes(world)
    invoice = pays(world, carol, "100.00", "50.00")
    chosen = str(invoice.lines.get(position=2).pk)
    entered = {"lines": chosen, "to": "BALANCE", "reason": "RETURN", "note": "sent back"}

    shown = operator.post(action(invoice, "credit"), {"preview": "on", **entered})

    assert [(words, strip_tags(amount)) for words, amount in shown.context["goes"]] == [
        ("Credit of the customer's", "59.50 USD")
    ]
    assert "Item 1 50.00 USD 9.50 USD" in text_of(shown.content)
    assert not CreditNote.objects.exists()
    messages = do(operator, invoice, "credit", **entered)
    assert messages == ["Credit note CN-000001 over 59.50 USD: 59.50 USD to credit."]
    assert left(carol) == [("PAID", "59.50")]
    page = text_of(operator.get(change(CreditNote.objects.get())).content)
    assert "sent back" in page
    assert "CN-000001" in text_of(operator.get(change(invoice)).content)


def test_what_was_not_seen_is_not_done(world: World, carol: Customer, operator: Client) -> None:
    invoice = bills(world, carol, "100.00")
    entered = {"amount": "10.00", "to": "AUTO", "reason": "DISCOUNT"}

    _, messages = send(operator, invoice, "credit", do="on", seen="", **entered)

    assert messages == ["What was entered, or the invoice, has changed since the preview."]
    assert not CreditNote.objects.exists()
    _, messages = send(operator, invoice, "credit", preview="on", **{**entered, "amount": "999"})
    assert messages == ["Only 100.00 USD is left of the invoice."]
    _, messages = send(operator, invoice, "credit", preview="on", **{**entered, "amount": "x"})
    assert messages == ["'x' is not an amount."]


def test_an_invoice_is_refunded(world: World, carol: Customer, operator: Client) -> None:
    invoice = pays(world, carol, "100.00")

    messages = do(operator, invoice, "refund", amount="", note="asked for it")
    collect(world)

    assert messages == ["Credit note CN-000001 over 100.00 USD: 100.00 USD goes back."]
    assert state(invoice) == ("REFUNDED", "0.00")
    assert "asked for it" in text_of(operator.get(change(Refund.objects.get())).content)


def test_a_payment_is_refunded_in_part(world: World, carol: Customer, operator: Client) -> None:
    payment = payment_of(pays(world, carol, "100.00"))

    messages = press(operator, payment, "refund", amount="12.50", reason="late")

    assert messages == ["12.50 USD goes back."]
    assert Refund.objects.get().reason == "late"
    messages = press(operator, payment, "refund", amount="87.51", reason="late")
    assert messages == ["Only 87.50 USD can go back."]


def test_what_came_by_bank_is_paid_out_by_hand(
    world: World, carol: Customer, operator: Client
) -> None:
    invoice = bills(world, carol, "100.00")
    paying.pay(world, carol, "100.00")
    [row] = refund(world, invoice)
    front = text_of(operator.get("/admin/").content)
    assert "Refunds to be paid out by hand" in front

    messages = press(operator, row, "paid_out", reference="BANK-7")

    assert messages == ["100.00 USD was paid out: BANK-7."]
    assert state(invoice) == ("REFUNDED", "0.00")


@pytest.mark.parametrize("outcome", [("won", "PAID"), ("lost", "CHARGEBACK")])
def test_an_operator_decides_what_a_customer_contests(
    world: World, carol: Customer, operator: Client, outcome: tuple[str, str]
) -> None:
    button, becomes = outcome
    invoice = pays(world, carol, "100.00")
    [dispute] = disputes.contest(invoice.pk, by="user:1", reason="not mine", now=world.now)

    messages = press(operator, dispute, button)
    collect(world)

    assert messages == [f"The dispute over 100.00 USD is {button}."]
    assert state(invoice)[0] == becomes
    assert Dispute.objects.get().status == button.upper()


def test_guests_press_nothing(world: World, carol: Customer, guest: Client) -> None:
    invoice = pays(world, carol, "100.00")
    for name in ("credit", "refund"):
        assert guest.post(action(invoice, name), {"preview": "on"}).status_code in {302, 403}
    assert not CreditNote.objects.exists()
