"""Visits by link: opened once, walled in by their purpose, beside whoever is signed in."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone

from billing.models import JournalEntry, PaymentMethod, PortalSession
from tests.services.paying import bill
from tests.web.conftest import Browser, People
from tests.web.linking import BACK, checkout, link

COOKIE = "bursar_session_portal"


@pytest.mark.django_db
def test_a_visit_is_no_login(people: People) -> None:
    visitor = Client()
    visitor.get(link(people.world.signs_up("alice", "Premium")))

    assert visitor.get("/accounts/email/").headers["Location"].startswith("/accounts/login/")
    assert visitor.get("/admin/").headers["Location"].startswith("/admin/login/")
    assert visitor.get("/api/v1/customers").status_code == 401
    assert SESSION_KEY not in visitor.session


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("purpose", "start", "heading"),
    [
        ("PORTAL", "/billing/", "Premium"),
        ("PAYMENT_METHOD", "/billing/payment-methods/", "Payment methods"),
    ],
)
def test_a_link_leads_to_where_its_purpose_begins(
    people: People, purpose: str, start: str, heading: str
) -> None:
    customer = people.world.signs_up("alice", "Premium")
    browser = Browser()

    page = browser.get(link(customer, purpose))

    assert (page.status, page.path, page.faults()) == (200, start, [])
    assert f"{heading} " in page.text
    assert "Back to app.example.com" in page.text
    assert "Alice Liddell" in page.text
    assert "Sign " not in page.text
    assert ("Invoices" in page.text) == (purpose == "PORTAL")
    assert browser.get("/").path == start


@pytest.mark.django_db
def test_the_cookie_is_fresh_and_out_of_reach_of_scripts(people: People) -> None:
    customer = people.world.signs_up("alice", "Premium")
    visitor = Client()
    visitor.cookies[COOKIE] = "planted"
    visitor.get("/plans/")
    before = visitor.cookies["csrftoken"].value if "csrftoken" in visitor.cookies else ""

    answer = visitor.get(link(customer))

    cookie = answer.cookies[COOKIE]
    assert cookie.value not in {"planted", ""}
    assert len(cookie.value) >= 43
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert (cookie["max-age"], cookie["expires"]) == ("", "")
    assert answer.cookies["csrftoken"].value != before
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    planter = Client()
    planter.cookies[COOKIE] = "planted"
    assert planter.get("/billing/").headers["Location"].startswith("/accounts/login/")


@pytest.mark.django_db
def test_over_https_the_cookie_is_secure(people: People, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    answer = Client().get(link(people.world.signs_up("alice", "Premium")))

    assert answer.cookies[COOKIE]["secure"] is True


@pytest.mark.django_db
def test_a_used_link_lets_its_browser_in_again_and_nobody_else(people: People) -> None:
    customer = people.world.signs_up("alice", "Premium")
    address = link(customer, "PAYMENT_METHOD")
    hers, thief = Browser(), Browser()
    hers.get(address)
    key = hers.client.cookies[COOKIE].value

    stolen = thief.get(address)
    again = hers.get(address)

    assert (stolen.status, stolen.faults()) == (410, ["loads https://app.example.com/settings"])
    assert "This link was used before" in stolen.text
    assert "Alice" not in stolen.text
    assert COOKIE not in thief.client.cookies
    assert (again.status, again.path) == (200, "/billing/payment-methods/")
    assert hers.client.cookies[COOKIE].value == key


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch"}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "prefetch"}),
        ("GET", {"X-Moz": "prefetch"}),
        ("GET", {"Sec-Fetch-Dest": "image"}),
        ("GET", {"Sec-Fetch-Dest": "iframe"}),
        ("GET", {"Sec-Fetch-Dest": "empty"}),
    ],
)
def test_looking_ahead_does_not_use_it_up(
    people: People, method: str, headers: dict[str, str]
) -> None:
    address = link(people.world.signs_up("alice", "Premium"))
    scanner = Client()

    answer = scanner.generic(method, address, headers=headers)

    assert (answer.status_code, answer.content) == (204, b"")
    assert COOKIE not in scanner.cookies
    followed = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    assert Client().get(address, headers=followed).status_code == 303


@pytest.mark.django_db
def test_sending_a_form_there_is_refused_and_does_not_use_it_up(people: People) -> None:
    address = link(people.world.signs_up("alice", "Premium"))

    assert Client().post(address).status_code == 405
    assert Client().get(address).status_code == 303


@pytest.mark.django_db
def test_an_expired_link_leads_back(people: People) -> None:
    address = link(people.world.signs_up("alice", "Premium"))
    PortalSession.objects.update(expires_at=timezone.now())

    page = Browser().get(address)

    assert (page.status, "This link has expired" in page.text) == (410, True)
    assert BACK in [a.get("href") for a in page.all("a")]


@pytest.mark.django_db
def test_a_tampered_link_is_not_there(people: People) -> None:
    address = link(people.world.signs_up("alice", "Premium"))

    assert Browser().get(f"{address[:-3]}xyz").status == 404


@pytest.mark.django_db
def test_leaving_ends_it_and_leads_back(people: People) -> None:
    visitor = Client()
    visitor.get(link(people.world.signs_up("alice", "Premium")))
    key = visitor.cookies[COOKIE].value

    assert visitor.get("/billing/leave/").status_code == 405
    left = visitor.post("/billing/leave/")

    assert (left.status_code, left.headers["Location"]) == (303, BACK)
    assert visitor.cookies[COOKIE].value == key
    assert visitor.get("/billing/").status_code == 410
    assert Client().post("/billing/leave/").headers["Location"] == "/"


@pytest.mark.django_db
def test_leaving_needs_the_forms_token(people: People) -> None:
    visitor = Client(enforce_csrf_checks=True)
    visitor.get(link(people.world.signs_up("alice", "Premium")))

    assert visitor.post("/billing/leave/").status_code == 403
    assert visitor.get("/billing/").status_code == 200


@pytest.mark.django_db
def test_after_an_hour_it_is_over_and_says_so(people: People) -> None:
    browser = Browser()
    browser.get(link(people.world.signs_up("alice", "Premium")))
    PortalSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    page = browser.get("/billing/")

    assert (page.status, "Your visit is over" in page.text) == (410, True)
    assert BACK in [a.get("href") for a in page.all("a")]
    assert browser.client.post("/billing/payment-methods/add/").status_code == 410
    assert browser.client.post("/billing/leave/").headers["Location"] == BACK


@pytest.mark.django_db
def test_who_is_signed_in_acts_for_the_links_customer_until_they_leave(people: People) -> None:
    _, alice = people.signs_up("alice", "Premium")
    bob = people.world.signs_up("bob", "Gold")
    session = alice.client.cookies["bursar_session"].value
    assert alice.get("/billing/").text.startswith("Overview · Bursar")

    visit = alice.get(link(bob))

    assert "Bob Liddell" in visit.text
    assert "alice@example.org" not in visit.text
    assert alice.status_of("/billing/details/data/") == 403
    assert alice.client.post("/billing/leave/").status_code == 303
    own = alice.get("/billing/")
    assert "alice@example.org" in own.text
    assert "Bob" not in own.text
    assert alice.client.cookies["bursar_session"].value == session


@pytest.mark.django_db
def test_a_visit_that_is_over_is_no_obstacle_to_who_is_signed_in(people: People) -> None:
    customer, alice = people.signs_up("alice", "Premium")
    alice.get(link(customer, "PAYMENT_METHOD"))
    PortalSession.objects.update(ended_at=timezone.now())

    assert alice.get("/billing/").status == 200


@pytest.mark.django_db
def test_another_link_takes_the_place_of_the_visit_before(people: People) -> None:
    alice, bob = (people.world.signs_up(name, "Premium") for name in ("alice", "bob"))
    browser = Browser()
    browser.get(link(alice))
    former = browser.client.cookies[COOKIE].value

    assert "Bob Liddell" in browser.get(link(bob)).text

    assert browser.client.cookies[COOKIE].value != former
    browser.client.cookies[COOKIE] = former
    assert browser.get("/billing/").status == 410


@pytest.mark.django_db
def test_what_is_done_on_a_visit_is_written_down_as_done_by_it(people: People) -> None:
    customer = people.world.signs_up("alice", "Premium")
    for _ in range(2):
        people.world.adds_card(customer)
    spare = PaymentMethod.objects.filter(is_default=False).get()
    browser = Browser()
    browser.get(link(customer, "PAYMENT_METHOD"))

    browser.post(f"/billing/payment-methods/{spare.pk}/default/")

    entry = JournalEntry.objects.get(kind="PAYMENT_METHOD_MADE_DEFAULT")
    assert entry.context["by"] == f"portal:{PortalSession.objects.get().pk}"


@pytest.mark.django_db(transaction=True)
def test_an_invoice_is_paid_with_a_new_card_and_leads_on(people: People) -> None:
    customer = people.world.customer("alice")
    invoice = bill(people.world, customer, "10.00")
    browser = Browser()
    page = browser.get(checkout(invoice))
    assert (page.path, page.faults()) == (f"/billing/invoices/{invoice.pk}/", [])
    assert "Still to pay $10.00" in page.text

    assert browser.client.get("/billing/leave/paid/").headers["Location"] == "/"

    people.world.adds_card(customer)
    looked = browser.client.get(f"/billing/invoices/{invoice.pk}/?tries=3")
    assert (looked.status_code, looked.headers["Location"]) == (303, "/billing/leave/paid/")
    assert PortalSession.objects.get().ended_at is None
    for _ in range(2):  # the second by the back button
        answer = browser.client.get("/billing/leave/paid/")
        assert answer.headers["Location"] == "https://app.example.com/thanks"

    assert PortalSession.objects.get().ended_at is not None
    assert browser.get(f"/billing/invoices/{invoice.pk}/").status == 410


@pytest.mark.django_db(transaction=True)
def test_adding_a_card_to_pay_an_invoice_leads_back_to_it(people: People) -> None:
    customer = people.world.customer("alice")
    invoice = bill(people.world, customer, "10.00")
    browser = Browser()
    browser.get(link(customer, "INVOICE", invoice=invoice))

    page = browser.post("/billing/payment-methods/add/", kind="bank_transfer")

    assert page.path == f"/billing/invoices/{invoice.pk}/"


@pytest.mark.django_db
def test_no_log_has_a_link_that_opens(people: People) -> None:
    address = link(people.world.signs_up("alice", "Premium"))
    handler = next(h for h in logging.getLogger().handlers if h.name == "stderr")
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    before = handler.setStream(written)
    try:
        Client().post(address)  # refused, which Django writes down
        Client().get(address)
        Client().get(address)
    finally:
        handler.setStream(before)

    assert "/billing/enter/…" in written.getvalue()
    assert address.rpartition("/")[2] not in written.getvalue()
