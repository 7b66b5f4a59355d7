"""`/portal-sessions`, and `/checkout-sessions` of an invoice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing.models import Invoice, PortalSession
from billing.services import invoices, payments, portal
from customers.models import Customer
from tests import builders
from tests.api.calling import Caller, caller
from tests.api.stage import NOW
from tests.services.paying import bill
from tests.world import World

pytestmark = pytest.mark.django_db

BACK = "https://app.example.com/settings"
URLS = {
    "success_url": "https://app.example.com/thanks?s={session}",
    "cancel_url": "https://app.example.com/orders",
}
MISSING = "0198d5a2-0000-7000-8000-000000000001"


@pytest.fixture
def alice(world: World) -> Customer:
    """Alice, who has no payment method."""
    return world.at("2026-04-11 09:00").customer("alice")


@pytest.fixture
def invoice(world: World, alice: Customer) -> Invoice:
    """What she owes."""
    return bill(world, alice, "10.00")


def _body(customer: Customer, **fields: Any) -> dict[str, Any]:
    return {"customer": str(customer.pk), "return_url": BACK, **fields}


def test_a_link_into_the_billing_pages(operator: Caller, alice: Customer) -> None:
    answer = operator.post("/portal-sessions", _body(alice))

    assert answer.status == 201
    visit = PortalSession.objects.get()
    assert answer.body == {
        "id": str(visit.pk),
        "url": answer.body["url"],
        "customer": str(alice.pk),
        "purpose": "portal",
        "invoice": None,
        "return_url": BACK,
        "created_at": answer.body["created_at"],
        "expires_at": answer.body["expires_at"],
        "opened_at": None,
        "ended_at": None,
    }
    assert portal.find(answer.body["url"].rpartition("/")[2]) == visit
    told = {name: value for name, value in answer.body.items() if name != "url"}
    assert operator.get(f"/portal-sessions/{visit.pk}").body == told


def test_a_customer_makes_their_own(as_alice: Caller, alice: Customer) -> None:
    answer = as_alice.post("/portal-sessions", _body(alice, purpose="payment_method"))

    assert (answer.status, answer.body["purpose"]) == (201, "payment_method")
    assert PortalSession.objects.get().created_by.startswith("token ")
    assert as_alice.post("/portal-sessions", _body(builders.make_customer("bob"))).status == 404


def test_a_repetition_gets_the_same_link(operator: Caller, alice: Customer) -> None:
    first = operator.post("/portal-sessions", _body(alice), idempotency_key="k1")
    again = operator.post("/portal-sessions", _body(alice), idempotency_key="k1")

    assert again.body == first.body
    assert PortalSession.objects.count() == 1


def test_it_tells_when_it_was_opened_and_left(operator: Caller, alice: Customer) -> None:
    made = operator.post("/portal-sessions", _body(alice)).body
    browser = Client()
    browser.get(made["url"])
    opened = operator.get(f"/portal-sessions/{made['id']}").body
    browser.post("/billing/leave/")
    left = operator.get(f"/portal-sessions/{made['id']}").body

    assert opened["opened_at"] is not None
    assert opened["ended_at"] is None
    assert opened["expires_at"] > made["expires_at"]
    assert left["ended_at"] is not None


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"return_url": "https://evil.example/"}, "return_url_not_allowed", "return_url"),
        ({"return_url": "https://u@app.example.com/"}, "return_url_not_allowed", "return_url"),
        ({"return_url": "javascript:alert(1)"}, "invalid_request", "return_url"),
        ({"return_url": "/settings"}, "invalid_request", "return_url"),
        ({"purpose": "everything"}, "invalid_choice", "purpose"),
        ({"purpose": "invoice"}, "invalid_purpose", "invoice"),
        ({"success_url": BACK}, "unknown_field", "success_url"),
    ],
)
def test_bad_links(
    *, operator: Caller, alice: Customer, fields: dict[str, Any], code: str, field: str
) -> None:
    answer = operator.post("/portal-sessions", _body(alice, **fields))

    assert (answer.status, answer.code, list(answer.body["errors"])) == (400, code, [field])
    assert not PortalSession.objects.exists()


def test_an_invoice_is_theirs(operator: Caller, world: World, invoice: Invoice) -> None:
    bob = world.customer("bob")
    wish = {"purpose": "invoice", "invoice": str(invoice.pk)}

    assert operator.post("/portal-sessions", _body(bob, **wish)).status == 404
    answer = operator.post("/portal-sessions", _body(invoice.customer, **wish))
    assert (answer.status, answer.body["invoice"]) == (201, str(invoice.pk))
    assert operator.get(f"/checkout-sessions/{answer.body['id']}").status == 404


def test_a_checkout_of_an_invoice_tells_when_it_is_paid(
    operator: Caller, world: World, invoice: Invoice
) -> None:
    alice = invoice.customer
    body = {"customer": str(alice.pk), "invoice_id": str(invoice.pk), **URLS}

    made = operator.post("/checkout-sessions", body)

    assert made.status == 201
    assert made.body == {
        "id": made.body["id"],
        "url": made.body["url"],
        "customer": str(alice.pk),
        "invoice": str(invoice.pk),
        "gateway": "",
        "kind": "",
        "route_reason": "",
        "status": "open",
        "failure": "",
        "payment_method": None,
        "created_at": made.body["created_at"],
        "expires_at": made.body["expires_at"],
    }
    path = f"/checkout-sessions/{made.body['id']}"
    assert operator.get(path).body == {**made.body, "url": ""}
    world.adds_card(alice)
    assert operator.get(path).body["status"] == "completed"
    again = operator.post("/checkout-sessions", body)
    assert (again.status, again.code) == (409, "nothing_to_charge")


def test_a_checkout_that_comes_to_nothing(
    operator: Caller, as_charlie: Caller, world: World, invoice: Invoice
) -> None:
    body = {"customer": str(invoice.customer_id), "invoice_id": str(invoice.pk), **URLS}
    path = f"/checkout-sessions/{operator.post('/checkout-sessions', body).body['id']}"
    assert as_charlie.get(path).status == 404

    PortalSession.objects.update(expires_at=NOW)
    assert operator.get(path).body["status"] == "expired"
    world.adds_card(invoice.customer, "tok_declined")
    payments.charge(invoice.pk, by="test", now=world.now)
    assert operator.get(path).body["status"] == "open"  # it may still be paid
    payments.collect(payments.unsent_of(invoice.customer_id)[0], now=world.now)
    invoices.cancel(invoice.pk, now=world.now, by="test")

    found = operator.get(path).body
    assert (found["status"], found["failure"]) == ("failed", "The invoice is canceled.")


def test_what_cannot_be_checked_out(operator: Caller, world: World, invoice: Invoice) -> None:
    alice, draft = invoice.customer, world.drafts(invoice.customer, "5.00")
    bob = world.customer("bob")

    for customer, invoice_id, status, code in (
        (alice, MISSING, 404, "not_found"),
        (bob, invoice.pk, 404, "not_found"),
        (alice, draft.pk, 409, "not_finalized"),
    ):
        body = {"customer": str(customer.pk), "invoice_id": str(invoice_id), **URLS}
        answer = operator.post("/checkout-sessions", body)
        assert (answer.status, answer.code) == (status, code)


def test_a_reader_makes_no_links(alice: Customer) -> None:
    reader = caller(alice, is_read_only=True)

    assert reader.post("/portal-sessions", _body(alice)).code == "read_only_token"
