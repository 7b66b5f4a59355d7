"""Payments that need their payer, from the first notice to the paid invoice, in a real browser.

The stand-in for Stripe is met over HTTP, by the pages, by the browser, and by its notifications.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from billing import clock
from billing.gateways.abilities import Evidence
from billing.models import CustomerNotice, Dispute, Invoice, PaymentAttempt, Seller
from billing.services import evidence, payments
from customers.models import Customer
from tests.gateways.cases import StandIn
from tests.services.paying import bill
from tests.web.conftest import Opener, People, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = "/billing/payment-methods/"
PHONE = {"width": 375, "height": 740}
VISA, CHALLENGED = "4242424242424242", "4000002760003184"


def test_a_challenged_card_is_paid_by_the_link_in_the_mail(
    people: People, opened: Opener, stripe: StandIn
) -> None:
    customer, alice = people.signs_up("alice")
    page = signed_in(opened(), alice).new_page()
    _add_card(page, CHALLENGED)
    page.get_by_role("button", name="Complete authentication").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your card is set up")

    first = _charged(people, customer, "10.00")
    notice = CustomerNotice.objects.get()
    assert notice.subject == f"Invoice {first.number}: your payment waits for you"
    page.goto("/billing/")
    waiting = page.get_by_role("region", name="A payment waits for you")
    expect(waiting).to_contain_text("$10.00 for invoice")
    page.goto(_link(notice))
    expect(page.get_by_role("heading", name="Your bank asks you to confirm")).to_be_visible()
    page.get_by_role("button", name="Finish the payment").click()
    page.get_by_role("button", name="Complete authentication").click()

    expect(page.locator(".title .badge")).to_have_text("Paid")
    expect(page.get_by_text("Paid with Visa •••• 3184.")).to_be_visible()
    assert "payment_intent" not in page.url

    second = _charged(people, customer, "20.00")
    page.goto(_path(second))
    page.get_by_role("button", name="Finish the payment").click()
    page.get_by_role("button", name="Fail authentication").click()

    expect(page.locator(".title .badge")).to_have_text("Payment failed")
    expect(page.get_by_text("Visa •••• 3184 was declined.")).to_be_visible()
    expect(page.get_by_role("button", name="Pay now with Visa •••• 3184")).to_be_visible()
    expect(page.get_by_role("button", name="Finish the payment")).to_have_count(0)


def test_a_pix_code_is_shown_and_the_page_turns_to_paid(
    people: People, opened: Opener, stripe: StandIn
) -> None:
    Seller.objects.create(name="Wonderland Ltd", is_default=True, iban="DE89370400440532013000")
    customer = people.world.customer("alice", currency="BRL", country="BR")
    page = signed_in(opened(viewport=PHONE), people.person("alice", customer)).new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(METHODS)
    page.get_by_role("button", name="Pay with Pix").click()
    expect(page.get_by_text("From now on you pay with Pix.")).to_be_visible()

    first = _charged(people, customer, "10.00", "BRL")
    page.goto(_path(first))
    expect(page.get_by_role("img", name="QR code with the payment code")).to_be_visible()
    code = _code(page).input_value()
    assert code.startswith("000201")
    page.get_by_role("button", name="Copy the code").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code
    stripe.control("payments/settle", payment_intent=_intent(first), status="succeeded")

    expect(page.locator(".title .badge")).to_have_text("Paid")
    expect(page.get_by_text("Paid with Pix.")).to_be_visible()

    second = _charged(people, customer, "20.00", "BRL")
    page.goto(_path(second))
    expect(_code(page)).not_to_have_value(code)
    stripe.control("payments/settle", payment_intent=_intent(second), status="expired")
    expect(page.locator(".title .badge")).to_have_text("Payment failed")
    expect(page.get_by_text("Not paid with Pix.")).to_be_visible()


def test_what_the_bank_disputes_says_so_until_it_is_decided(
    people: People, opened: Opener, stripe: StandIn
) -> None:
    customer, alice = people.signs_up("alice")
    page = signed_in(opened(), alice).new_page()
    _add_card(page, VISA)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your card is set up")
    invoice = _charged(people, customer, "10.00")

    stripe.control("disputes/open", payment_intent=_intent(invoice))
    stripe.control("webhooks/drain")
    page.goto(_path(invoice))
    expect(page.locator(".title .badge")).to_have_text("Disputed")
    expect(page.get_by_text("The bank decides; we wait.")).to_be_visible()

    evidence.submit(
        Dispute.objects.get().pk, Evidence("winning_evidence"), by="olga", now=clock.now()
    )
    page.reload()
    expect(page.locator(".title .badge")).to_have_text("Paid")
    expect(page.get_by_text("has decided: the payment stands.")).to_be_visible()


def _add_card(page: Page, number: str) -> None:
    page.goto(METHODS)
    page.get_by_role("button", name="Add a card").click()
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_role("button", name="Save card").click()


def _charged(people: People, customer: Customer, amount: str, currency: str = "USD") -> Invoice:
    """An invoice that was charged while the customer was away."""
    invoice = bill(people.world, customer, amount, currency)
    payments.collect(people.world.charges(invoice).pk, now=people.world.now)
    return invoice


def _code(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Payment code")


def _intent(invoice: Invoice) -> str:
    return PaymentAttempt.objects.get(invoice=invoice).external_id


def _link(notice: CustomerNotice) -> str:
    found = re.search(r"http\S+", notice.text)
    assert found is not None
    return found[0]


def _path(invoice: Invoice) -> str:
    return f"/billing/invoices/{invoice.pk}/"
