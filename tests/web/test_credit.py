"""Credit and instalments on the customers' pages."""

from __future__ import annotations

import pytest

from billing.core.instalments import Rhythm
from billing.models.credit import GrantKind
from billing.services import instalments
from plans.terms import Interval
from tests.services.paying import bill, give, pay
from tests.web.conftest import Browser, People
from tests.world import instant

pytestmark = pytest.mark.django_db(transaction=True)

CREDIT = "/billing/credit/"


def test_it_says_what_is_left_and_what_it_was_used_for(people: People) -> None:
    customer, alice = people.signs_up("alice")
    world = people.world
    give(world, customer, "25.00", kind=GrantKind.PAID)
    give(world, customer, "10.00", expires=f"{world.now:%Y-%m-}28")
    invoice = bill(world, customer, "15.00")

    page = alice.get(CREDIT)

    assert "$20.00 to use." in page.text
    assert "Paid. $20.00 left." in page.text
    assert "A present. $0.00 left, expiry" in page.text
    assert f"Invoice {invoice.number} $10.00" in page.text
    source = alice.client.get(CREDIT).content.decode()
    assert f'href="/billing/invoices/{invoice.pk}/"' in source
    assert f'href="{CREDIT}"' in alice.client.get("/billing/").content.decode()


def test_what_expires_soon_is_said(people: People) -> None:
    customer, alice = people.signs_up("alice")
    give(people.world, customer, "10.00", expires=f"{people.world.now:%Y-%m-}28")

    assert "$10.00 of it expires within 30 days" in alice.get(CREDIT).text


def test_without_credit_it_says_so_and_a_stranger_sees_nothing(
    people: People, stranger: Browser
) -> None:
    customer, _ = people.signs_up("alice")
    give(people.world, customer, "10.00")

    assert "You have no credit." in stranger.get(CREDIT).text


def test_an_invoice_shows_its_instalments_and_the_credit_in_it(people: People) -> None:
    customer, alice = people.signs_up("alice")
    world = people.world
    give(world, customer, "10.00")
    invoice = bill(world, customer, "100.00")
    rhythm = Rhythm(3, instant("2027-05-01"), Interval.MONTH)
    instalments.agree(invoice.pk, rhythm, by="olga", now=world.now)
    pay(world, customer, "40.00")

    page = alice.get(f"/billing/invoices/{invoice.pk}/")

    assert "Paid from your credit −$10.00" in page.text
    assert "1 May 2027 $30.00, paid" in page.text
    assert "1 June 2027 $30.00, $20.00 of it still to pay" in page.text
    assert "We charge what is due then, unless it is paid before." in page.text
