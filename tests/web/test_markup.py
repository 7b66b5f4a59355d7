"""Every page as a document: one heading, labelled inputs, a language, nothing inline."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string

from billing import clock
from billing.models import CheckoutSession, PaymentMethod
from billing.services import tokens
from tests.web.conftest import Browser, People

pytestmark = pytest.mark.django_db(transaction=True)

PUBLIC = [
    "/",
    "/plans/",
    "/accounts/signup/",
    "/accounts/login/",
    "/accounts/password/reset/",
    "/api/docs/errors",
]
ACCOUNT = ["/accounts/logout/", "/accounts/email/", "/accounts/password/change/"]
ERRORS = ["400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html"]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_are_sound(people: People, path: str) -> None:
    assert Browser().get(path).faults() == []


@pytest.mark.parametrize("path", ACCOUNT)
def test_account_pages_are_sound(people: People, path: str) -> None:
    _, alice = people.signs_up("alice")

    assert alice.get(path).faults() == []


@pytest.mark.parametrize("token", ["tok_ok", "tok_declined"])
def test_pages_of_a_customer_are_sound(people: People, token: str) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer, token)
    people.world.at("2026-04-26 10:00").uses(customer, 300)
    people.world.at("2026-05-03 10:00").uses(customer, 10)
    invoice = people.world.newest_invoice(customer)
    session, method = CheckoutSession.objects.get(), PaymentMethod.objects.get()
    own, _ = tokens.issue("shop", now=clock.now(), customer=customer)
    pages = [
        "/billing/",
        "/billing/invoices/",
        f"/billing/invoices/{invoice.pk}/",
        "/billing/payment-methods/",
        f"/billing/payment-methods/{method.pk}/removal/",
        f"/billing/payment-methods/confirming/{session.pk}/",
        "/billing/details/",
        "/billing/tokens/",
        f"/billing/tokens/{own.pk}/rotate/",
        f"/billing/tokens/{own.pk}/revocation/",
        "/plans/",
    ]

    assert {path: alice.get(path).faults() for path in pages} == {path: [] for path in pages}
    assert {alice.get(path).status for path in pages} == {200}


@pytest.mark.parametrize("name", ERRORS)
def test_error_pages_need_neither_a_request_nor_a_database(name: str) -> None:
    html = render_to_string(name)

    assert html.count("<h1>") == 1
    assert 'href="/"' in html


def test_an_unknown_address_is_answered_kindly() -> None:
    page = Browser().get("/nowhere/")

    assert page.status == 404
    assert "There is nothing here" in page.text
    assert page.faults() == []
