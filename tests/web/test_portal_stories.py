"""From the product to its billing and back, in a real browser, without a second login."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from billing import clock
from billing.models import Invoice, PaymentMethod, PortalSession, Seller
from billing.services import logos, payments, tokens
from tests.gateways.cases import StandIn
from tests.services.paying import bill
from tests.web import product
from tests.web.conftest import Opener, People
from tests.web.linking import LOGO
from tests.web.product import Product

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 375, "height": 740}


@pytest.fixture
def shop(live_server: LiveServer, stripe: StandIn) -> Iterator[Product]:
    """A product, whose seller has a brand."""
    seller = Seller.objects.create(
        name="Wonderland Ltd", brand_name="Wonderland", brand_colour="#7a1fa2", is_default=True
    )
    logos.put(seller.pk, LOGO)
    _, token = tokens.issue("shop", now=clock.now())
    with product.running(live_server.url, token) as found:
        yield found


def test_a_card_is_added_and_the_product_is_back(
    people: People, opened: Opener, shop: Product
) -> None:
    customer = people.world.signs_up("alice", "Premium")
    back = f"{shop.url}/settings"
    shop.wish = {"customer": str(customer.pk), "purpose": "payment_method", "return_url": back}
    page = opened().new_page()
    page.goto(shop.url)

    page.get_by_role("link", name="Billing").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Payment methods")
    assert _brand_of(page) == ("Wonderland", "rgb(122, 31, 162)", "rgb(255, 255, 255)")
    expect(page.locator(".brand img")).to_have_js_property("naturalWidth", 8)
    _add_card(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your card is set up")
    page.get_by_role("main").get_by_role("button", name="Back to Wonderland").click()

    expect(page.get_by_role("heading", name="Product /settings")).to_be_visible()
    assert PaymentMethod.objects.get(customer=customer).last4 == "4242"


def test_an_invoice_is_paid_on_a_phone_and_the_product_thanks(
    people: People, opened: Opener, shop: Product
) -> None:
    customer = people.world.customer("alice")
    invoice = bill(people.world, customer, "10.00")
    shop.address, shop.wish = "checkout-sessions", _checkout(shop, invoice)
    page = opened(viewport=PHONE, color_scheme="dark").new_page()
    page.goto(shop.url)

    page.get_by_role("link", name="Billing").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Invoice {invoice.number}")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    _add_card(page)

    expect(page.get_by_role("heading", name="Product /thanks")).to_be_visible()
    assert Invoice.objects.get().status == "PAID"
    assert PortalSession.objects.get().ended_at is not None


def test_a_page_that_waits_for_the_payment_goes_on_by_itself(
    people: People, opened: Opener, shop: Product
) -> None:
    customer = people.world.customer("alice")
    people.world.adds_card(customer)
    invoice = bill(people.world, customer, "10.00")
    shop.address, shop.wish = "checkout-sessions", _checkout(shop, invoice)
    attempt = people.world.charges(invoice)
    page = opened().new_page()
    page.goto(f"{shop.url}/billing")
    expect(page.locator("[data-pending]")).to_be_visible()

    payments.collect(attempt.pk, now=people.world.now)

    expect(page.get_by_role("heading", name="Product /thanks")).to_be_visible()


def _checkout(shop: Product, invoice: Invoice) -> dict[str, str]:
    return {
        "customer": str(invoice.customer_id),
        "invoice_id": str(invoice.pk),
        "success_url": f"{shop.url}/thanks",
        "cancel_url": f"{shop.url}/orders",
    }


def _add_card(page: Page) -> None:
    page.get_by_role("button", name="Add a card").click()
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_label("Expiry").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_role("button", name="Save card").click()


def _brand_of(page: Page) -> tuple[str | None, str, str]:
    """What the logo is called, and the colours of the main button."""
    button = page.get_by_role("button", name="Add a card")
    background, ink = (
        str(button.evaluate(f"it => getComputedStyle(it).{name}"))
        for name in ("backgroundColor", "color")
    )
    return page.locator(".brand img").get_attribute("alt"), background, ink
