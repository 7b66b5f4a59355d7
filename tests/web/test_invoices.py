"""Invoices: the list, the document, paying one, and what strangers see of them."""

from __future__ import annotations

import pytest

from billing.core.invoicing import Item
from billing.models import Invoice, PaymentAttempt, Seller
from billing.services import invoices as invoice_services
from billing.services import payments
from customers.models import Customer
from tests.web.conftest import Browser, People, queries_of

pytestmark = pytest.mark.django_db(transaction=True)

INVOICES = "/billing/invoices/"


def test_an_invoice_says_who_owes_what_to_whom_and_why(people: People) -> None:
    Seller.objects.create(name="Wonderland Ltd", tax_number="GB123", is_default=True)
    customer, alice = _with_a_card(people)
    people.world.at("2026-04-26 10:00").uses(customer, 300)
    people.world.at("2026-05-01 12:00")

    page = alice.get(_path(people.world.newest_invoice(customer)))

    assert "Invoice INV-000001 Paid" in page.text
    assert "Wonderland Ltd Tax number GB123" in page.text
    assert "Alice Liddell 1 Rabbit Hole Oxford GB" in page.text
    assert "25 – 30 April 2026" in page.text
    assert "180.00 × 5/30 days = 30.00 USD 1 $180.00 $30.00" in page.text
    assert (
        "300 used − 66.66… included (400 × 5/30 days) = 233.33… × 1.80 = 420.00 USD"
        " 233.33… $1.80 $420.00" in page.text
    )
    assert "Total $450.00 Still to pay $0.00" in page.text
    assert "1 May 2026, 00:00 UTC Paid with Visa •••• 4242." in page.text
    assert "Pay now" not in page.text


def test_the_list_has_them_newest_first(people: People) -> None:
    _, alice = _with_a_card(people)
    people.world.at("2026-06-01 12:00")

    page = alice.get(INVOICES)

    assert "INV-000002 PDF 1 June 2026 1 – 31 May 2026 Paid $180.00" in page.text
    assert page.text.index("INV-000002") < page.text.index("INV-000001")


def test_without_invoices_the_list_says_when_one_comes(people: People) -> None:
    _, alice = people.signs_up("alice")

    assert "None yet." in alice.get(INVOICES).text


def test_a_declined_invoice_tells_its_history_and_can_be_paid(people: People) -> None:
    customer, alice = _with_a_card(people, "tok_declined")
    people.world.at("2026-05-01 12:00")
    invoice = people.world.newest_invoice(customer)

    page = alice.get(_path(invoice))

    assert "1 May 2026, 00:00 UTC Visa •••• 0002 was declined. The card was declined." in page.text
    assert "2 May 2026, 00:00 UTC We try again, unless it is paid before." in page.text
    assert "Pay now with Visa •••• 0002" in page.text


def test_paying_now_opens_one_attempt_and_says_so(people: People) -> None:
    customer, alice = _with_a_card(people, "tok_declined")
    people.world.at("2026-05-01 12:00")
    invoice = people.world.newest_invoice(customer)

    page = alice.post(f"{_path(invoice)}pay/")

    attempt = PaymentAttempt.objects.filter(invoice=invoice).latest("created_at")
    assert attempt.status == "CREATED"
    assert "Visa •••• 0002 is being charged." in page.text
    assert "Pay now" not in page.text
    again = alice.post(f"{_path(invoice)}pay/")
    assert "There is nothing to pay on this invoice now." in again.text
    payments.collect(attempt.pk, now=people.world.now)


def test_an_invoice_of_somebody_else_does_not_exist(people: People, stranger: Browser) -> None:
    customer, _ = _with_a_card(people, "tok_declined")
    people.world.at("2026-05-01 12:00")
    invoice = people.world.newest_invoice(customer)

    assert stranger.status_of(_path(invoice)) == 404
    assert stranger.client.post(f"{_path(invoice)}pay/").status_code == 404
    assert str(invoice.number) not in stranger.get(INVOICES).text


def test_a_draft_is_not_for_customers_yet(people: People) -> None:
    from decimal import Decimal

    customer, alice = people.signs_up("alice")
    draft = invoice_services.draft(
        customer.pk,
        currency="USD",
        items=[Item("Advice", Decimal(1), Decimal(100))],
        by="operator:1",
        now=people.world.now,
    )

    assert alice.status_of(_path(draft)) == 404
    assert "None yet." in alice.get(INVOICES).text


def test_pages_cost_the_same_reads_however_much_there_is(people: People) -> None:
    customer, alice = _with_a_card(people)
    people.world.at("2026-05-01 12:00")
    first = people.world.newest_invoice(customer)
    before = queries_of(alice, INVOICES), queries_of(alice, _path(first))
    people.world.at("2026-09-01 12:00")

    assert (queries_of(alice, INVOICES), queries_of(alice, _path(first))) == before
    assert max(before) <= 14


def _with_a_card(people: People, token: str = "tok_ok") -> tuple[Customer, Browser]:
    customer, browser = people.signs_up("alice")
    people.world.adds_card(customer, token)
    return customer, browser


def _path(invoice: Invoice) -> str:
    return f"{INVOICES}{invoice.pk}/"
