"""The statement page: a month, what it links to, and whom it is for."""

from __future__ import annotations

import pytest

from tests.web.conftest import Browser, People, queries_of

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENT = "/billing/statement/"


def test_a_month_opens_where_the_one_before_closed(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer, "tok_declined")
    people.world.at("2026-05-01 12:00")
    invoice = people.world.newest_invoice(customer)
    people.world.at("2026-06-20 12:00")

    may = alice.get(f"{STATEMENT}?month=2026-05")
    june = alice.get(STATEMENT)

    assert "Statement of May 2026" in may.text
    assert f"1 May 2026 Invoice {invoice.number} " in may.text
    assert "$30.00 $30.00 31 May 2026 Closing balance $30.00" in may.text
    assert "Opening balance $0.00" in may.text
    assert "1 June 2026 Opening balance $30.00" in june.text
    assert "20 June 2026 Closing balance $210.00" in june.text


def test_it_leads_to_the_invoice_and_the_home_leads_to_it(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    people.world.at("2026-05-20 12:00")
    invoice = people.world.newest_invoice(customer)

    page = alice.client.get(STATEMENT).content.decode()

    assert f'href="/billing/invoices/{invoice.pk}/"' in page
    assert f'href="{STATEMENT}"' in alice.client.get("/billing/").content.decode()


def test_without_entries_it_says_so_and_the_future_is_no_month(people: People) -> None:
    _, alice = people.signs_up("alice")

    page = alice.get(f"{STATEMENT}?month=2031-01")

    assert "Statement of April 2026" in page.text
    assert "nothing happened on your account" in page.text
    assert "Statement of April 2026" in alice.get(f"{STATEMENT}?month=nonsense").text


def test_a_stranger_sees_their_own(people: People, stranger: Browser) -> None:
    customer, _ = people.signs_up("alice")
    people.world.adds_card(customer)
    people.world.at("2026-05-20 12:00")

    assert "Premium" not in stranger.get(STATEMENT).text


def test_it_costs_the_same_reads_however_much_there_is(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    people.world.at("2026-05-20 12:00")
    before = queries_of(alice, f"{STATEMENT}?month=2026-05")
    people.world.at("2026-09-20 12:00")

    assert queries_of(alice, f"{STATEMENT}?month=2026-05") == before <= 12
