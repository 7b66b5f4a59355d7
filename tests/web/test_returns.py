"""A customer gives an invoice back within the week, or contests it."""

from __future__ import annotations

import pytest

from billing.models import CreditNote, Dispute, Invoice, Refund
from customers.models import Customer
from tests.web.conftest import Browser, People

pytestmark = pytest.mark.django_db(transaction=True)


def paid(people: People) -> tuple[Customer, Browser, Invoice]:
    customer, alice = people.signs_up("alice")
    people.world.at("2026-04-25 09:00").adds_card(customer)
    people.world.at("2026-05-01 12:00")
    return customer, alice, people.world.newest_invoice(customer)


def path(invoice: Invoice, step: str = "") -> str:
    return f"/billing/invoices/{invoice.pk}/{step}"


def test_an_invoice_is_given_back_within_a_week(people: People) -> None:
    _, alice, invoice = paid(people)
    assert "Refund, until 8 May 2026" in alice.get(path(invoice)).text

    answer = alice.post(path(invoice, "refund/"))
    assert "Your money is on its way back." in answer.text
    people.world.at("2026-05-01 12:01")

    page = alice.get(path(invoice))
    assert "Refunded" in page.text
    assert "Credit note CN-000001, 1 May 2026 −$" in page.text
    assert "were given back." in page.text
    assert "Refund, until" not in page.text
    assert Refund.objects.get().created_by.startswith("user:")


def test_after_a_week_it_is_too_late(people: People) -> None:
    _, alice, invoice = paid(people)
    people.world.at("2026-05-08 12:00")

    assert "Refund, until" not in alice.get(path(invoice)).text
    assert "within 7 days" in alice.post(path(invoice, "refund/")).text
    assert not CreditNote.objects.exists()


def test_an_invoice_is_contested(people: People) -> None:
    _, alice, invoice = paid(people)

    answer = alice.post(path(invoice, "contest/"))

    assert "You contest this invoice." in answer.text
    assert "Disputed" in answer.text
    assert "You contest $30.00 of it. We look at it and write to you." in answer.text
    assert answer.faults() == []
    assert Dispute.objects.get().status == "OPEN"


def test_strangers_give_nothing_back(people: People) -> None:
    _, _, invoice = paid(people)
    _, bob = people.signs_up("bob")
    for step in ("refund/", "contest/"):
        assert bob.post(path(invoice, step)).status == 404
    assert not Refund.objects.exists()
