"""How far each purpose of a visit reaches, page by page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, resolve, reverse

from billing.models import CheckoutSession, Invoice, PaymentMethod
from billing.models.portal import PortalPurpose
from billing.web import urls
from customers.models import Customer
from tests.services.paying import bill
from tests.web.conftest import Browser, People
from tests.web.linking import link
from tests.web.markup import Page

pytestmark = pytest.mark.django_db

# Page → the purposes that reach it: (p)ortal, payment (m)ethod, (i)nvoice. `*` is for everybody,
# with or without a visit. A new page must be entered here, and is reached by none until then.
REACHED = {
    "landing": "*",
    "portal_enter": "*",
    "portal_leave": "*",
    "portal_paid": "*",
    "brand_logo": "*",
    "brand_style": "*",
    "plans": "p",
    "start_plan": "p",
    "billing_home": "p",
    "switch_customer": "",
    "billing_credit": "p",
    "billing_statement": "p",
    "billing_details": "p",
    "billing_data": "",
    "payment_methods": "pm",
    "payment_method_add": "pmi",
    "payment_method_confirming": "pmi",
    "payment_method_default": "pm",
    "payment_method_removal": "pm",
    "payment_method_remove": "pm",
    "invoices": "p",
    "invoice": "pi",
    "invoice_pay": "pi",
    "invoice_finish": "pi",
    "invoice_back": "pi",
    "invoice_withdraw": "pi",
    "invoice_refund": "p",
    "invoice_contest": "p",
    "invoice_pdf": "pi",
    "credit_note_pdf": "p",
    "billing_tokens": "",
    "billing_token_rotation": "",
    "billing_token_revocation": "",
    "billing_token_revoke": "",
    "sandbox_advance": "",
}
FILES = {"invoice_pdf", "credit_note_pdf"}  # which link to nothing
LETTERS = {"PORTAL": "p", "PAYMENT_METHOD": "m", "INVOICE": "i"}


@pytest.mark.parametrize("purpose", PortalPurpose)
def test_each_purpose_reaches_its_pages_and_no_other(people: People, purpose: str) -> None:
    customer = people.world.signs_up("alice", "Premium")
    people.world.adds_card(customer)
    invoice = bill(people.world, customer, "10.00")
    visitor = Client(raise_request_exception=False)
    is_about = purpose == PortalPurpose.INVOICE
    visitor.get(link(customer, purpose, invoice=invoice if is_about else None))
    found = {}
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        found[pattern.name] = _is_reached(visitor, pattern, customer, invoice)

    expected = {
        name: LETTERS[purpose] in letters or letters == "*" for name, letters in REACHED.items()
    }
    assert found == expected


def _is_reached(visitor: Client, pattern: URLPattern, customer: Customer, invoice: Invoice) -> bool:
    """Whether a page answers anything but that it may not be seen, however it is asked."""
    ids: dict[str, Any] = {
        "invoice_id": invoice.pk,
        "method_id": PaymentMethod.objects.get(customer=customer).pk,
        "session_id": CheckoutSession.objects.get(customer=customer).pk,
        "credit_note_id": UUID(int=1),
        "plan_id": UUID(int=1),
        "token_id": UUID(int=1),
        "seller_id": UUID(int=1),
        "signed": "nonsense",
    }
    needed = pattern.pattern.regex.groupindex
    address = reverse(str(pattern.name), kwargs={name: ids[name] for name in needed})
    statuses = set()
    for ask in (visitor.get, visitor.post):
        as_it_was = transaction.savepoint()
        statuses.add(ask(address).status_code)
        transaction.savepoint_rollback(as_it_was)
    assert 401 not in statuses
    return 403 not in statuses


def test_another_customers_things_and_other_invoices_do_not_exist(people: People) -> None:
    alice, bob = people.world.customer("alice"), people.world.customer("bob")
    first, second = (bill(people.world, alice, amount) for amount in ("10.00", "20.00"))
    bobs = bill(people.world, bob, "30.00")
    whole, one = Client(), Client()
    whole.get(link(alice))
    one.get(link(alice, "INVOICE", invoice=first))

    assert whole.get(f"/billing/invoices/{second.pk}/").status_code == 200
    assert whole.get(f"/billing/invoices/{bobs.pk}/").status_code == 404
    assert one.get(f"/billing/invoices/{first.pk}/").status_code == 200
    assert one.get(f"/billing/invoices/{second.pk}/").status_code == 403
    assert one.post(f"/billing/invoices/{second.pk}/pay/").status_code == 403


def test_pages_offer_nothing_that_the_purpose_does_not_reach(people: People) -> None:
    customer = people.world.signs_up("alice", "Premium")
    people.world.adds_card(customer)
    paid = bill(people.world, customer, "10.00")
    people.world.charges(paid)
    people.world.settles()
    for purpose, letter in LETTERS.items():
        browser = Browser()
        browser.get(link(customer, purpose, invoice=paid if letter == "i" else None))
        for path in _pages_of(browser, letter, paid):
            page = browser.get(path)
            assert page.status == 200
            for address in _addresses(page):
                name = resolve(address.partition("?")[0]).url_name or ""
                assert {letter, "*"} & set(REACHED.get(name, "")), (purpose, path, address)


def _pages_of(browser: Browser, letter: str, invoice: Invoice) -> list[str]:
    ids = {"invoice_id": invoice.pk}
    ids["method_id"] = PaymentMethod.objects.get().pk
    ids["session_id"] = CheckoutSession.objects.get().pk
    found = []
    for name, letters in REACHED.items():
        if letter in letters and name not in FILES:
            pattern = next(p for p in urls.urlpatterns if p.name == name)
            needed = pattern.pattern.regex.groupindex
            if set(needed) <= set(ids):
                path = reverse(name, kwargs={one: ids[one] for one in needed})
                if browser.status_of(path) == 200:
                    found.append(path)
    return found


def _addresses(page: Page) -> set[str]:
    """Where its links and forms lead, those of our own pages."""
    found = [a.get("href") for a in page.all("a")] + [a.get("action") for a in page.all("form")]
    return {path for path in found if path and path.startswith("/")}
