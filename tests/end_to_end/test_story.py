"""Seed 003 in the browser, steps 2 to 6 of the main job, with the worked example's figures.

April has thirty days in every year: a card that is set up on the 11th leaves nineteen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.conftest import Demo, wait_for

PASSWORD = "a long enough password"
VISA, ALWAYS_DECLINED, REFUSED = "4242424242424242", "4000000000000341", "4000000000000002"
_numbers = count(1)


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """A window of somebody who was never here."""
    context = browser.new_context(base_url=demo.url, locale="en-GB", timezone_id="UTC")
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def next_april() -> int:
    """The year of the next 11 April that is at least a trial away."""
    now = datetime.now(UTC)
    is_past = (now.month, now.day) > (3, 20)
    return now.year + 1 if is_past else now.year


def sign_up(page: Page, plan: str = "Premium") -> str:
    """A new person on a plan; their e-mail address."""
    email = f"person-{next(_numbers)}-{datetime.now(UTC).timestamp():.0f}@example.org"
    page.goto("/")
    page.get_by_role("link", name=re.compile(f"of {plan}")).click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    expect(page.get_by_role("radio", name=re.compile(plan))).to_be_checked()
    page.get_by_role("button", name="Start free trial").click()
    expect(page).to_have_url(re.compile("/billing/$"))
    return email


def travel(page: Page, to: str) -> None:
    """Move the person's own time by the sandbox's panel."""
    page.goto("/billing/")
    page.get_by_label("Or to").fill(to)
    page.get_by_role("button", name="Go").click()
    page.wait_for_load_state()


def enter_card(page: Page, number: str) -> None:
    """Fill in the gateway's page."""
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12 / 34")
    page.get_by_label("CVC").fill("123")
    page.get_by_role("button", name="Save card").click()


def add_card(page: Page, number: str = VISA) -> None:
    """From our page to the gateway's and back."""
    page.goto("/billing/payment-methods/")
    page.get_by_role("button", name=re.compile("Add a")).first.click()
    expect(page.get_by_text("no money moves").first).to_be_visible()
    enter_card(page, number)


def customer_of(demo: Demo, email: str) -> dict[str, Any]:
    found = demo.call("GET", "/customers?limit=100").body["customers"]
    return next(customer for customer in found if customer["details"]["email"] == email)


def use(demo: Demo, email: str, quantity: str) -> None:
    """Report usage at the customer's present, as an integration does."""
    event = {
        "id": f"{email}-{next(_numbers)}",
        "customer": customer_of(demo, email)["id"],
        "meter": "api_calls",
        "quantity": quantity,
    }
    answer = demo.call("POST", "/usage-events", event)
    assert (answer.status, answer.body["accepted"]) == (202, 1)


def test_from_sign_up_to_the_second_paid_invoice(page: Page, demo: Demo) -> None:
    year = next_april()
    email = sign_up(page)
    expect(page.get_by_text("No card").first).to_be_visible()
    expect(page.locator(".access")).to_have_class(re.compile("yes"))

    travel(page, f"{year}-04-11T10:00")
    expect(page.locator(".access")).to_have_class(re.compile("no"))

    add_card(page)
    expect(page.get_by_text("Visa •••• 4242").first).to_be_visible()
    page.goto("/billing/")
    expect(page.locator(".access")).to_have_class(re.compile("yes"))

    use(demo, email, "300")
    page.goto("/billing/")
    expect(page.get_by_text("253.33…").first).to_be_visible()
    expect(page.locator(".used").first).to_contain_text("300")
    expect(page.locator(".usage svg").first).to_be_visible()
    expect(page.get_by_text("about $198.00").first).to_be_visible()

    travel(page, f"{year}-05-01T00:00")
    page.goto("/billing/invoices/")
    page.get_by_role("link", name=re.compile("INV-")).first.click()
    for text in (
        "180.00 × 19/30 days = 114.00 USD",
        "300 used − 253.33… included (400 × 19/30 days) = 46.66… × 1.80 = 84.00 USD",
        "$198.00",
        "Paid",
    ):
        expect(page.get_by_text(text).first).to_be_visible()

    use(demo, email, "450")
    travel(page, f"{year}-06-01T00:00")
    invoices = demo.call("GET", f"/invoices?customer={customer_of(demo, email)['id']}").body
    assert [(invoice["total"], invoice["status"]) for invoice in invoices["invoices"]] == [
        ("270.00", "paid"),
        ("198.00", "paid"),
    ]


def test_a_declined_card_is_retried_and_a_new_one_pays(page: Page, demo: Demo) -> None:
    year = next_april()
    email = sign_up(page, "Basic")
    add_card(page, ALWAYS_DECLINED)
    expect(page.get_by_text("Visa •••• 0341").first).to_be_visible()

    travel(page, f"{year}-04-01T06:00")
    customer = customer_of(demo, email)["id"]
    owed = demo.call("GET", f"/invoices?customer={customer}&status=charged_with_error").body
    assert owed["total"] >= 1
    expect(page.get_by_text("is not paid").first).to_be_visible()

    add_card(page)
    expect(page.get_by_text("Visa •••• 4242").first).to_be_visible()
    path = f"/invoices?customer={customer}&status=charged_with_error"
    wait_for(lambda: demo.call("GET", path).body["total"] == 0, seconds=60)


def test_a_card_that_is_refused_on_the_gateways_page_can_be_replaced_there(page: Page) -> None:
    sign_up(page)
    add_card(page, REFUSED)
    expect(page.get_by_text("declined").first).to_be_visible()
    enter_card(page, VISA)
    expect(page.get_by_text("Visa •••• 4242").first).to_be_visible()


def test_the_gateways_page_serves_once(page: Page) -> None:
    sign_up(page)
    page.goto("/billing/payment-methods/")
    page.get_by_role("button", name=re.compile("Add a")).first.click()
    address = page.url
    enter_card(page, VISA)
    expect(page.get_by_text("Visa •••• 4242").first).to_be_visible()

    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 410


def test_the_card_is_known_though_no_notification_comes(page: Page, demo: Demo) -> None:
    """Coming back proves nothing; while notifications are held back, Stripe is asked."""
    sign_up(page)
    demo.stand_in("POST", "webhooks/pause")
    try:
        add_card(page)
        expect(page.get_by_role("heading", name="Your card is set up")).to_be_visible()
        expect(page.get_by_text("Visa •••• 4242").first).to_be_visible()
    finally:
        demo.stand_in("POST", "webhooks/resume")


def test_coming_back_is_no_proof(page: Page, demo: Demo) -> None:
    """Who skips the gateway's page has no card."""
    email = sign_up(page)
    session = {
        "customer": customer_of(demo, email)["id"],
        "success_url": "https://shop.example.com/thanks",
        "cancel_url": "https://shop.example.com/",
    }
    visit = demo.call("POST", "/checkout-sessions", session).body["id"]

    page.goto(f"/billing/payment-methods/confirming/{visit}/")
    expect(page.get_by_role("heading", name="Confirming your card")).to_be_visible()
    page.goto("/billing/payment-methods/")
    expect(page.get_by_text("There is none yet.")).to_be_visible()


def test_the_operator_finds_it_all_in_the_admin(page: Page, demo: Demo) -> None:
    admin = demo.facts["admin"]
    page.goto("/admin/")
    page.get_by_label("Email").fill(admin["email"])
    page.get_by_label("Password").fill(admin["password"])
    page.get_by_role("button", name=re.compile("Log in|Sign in", re.IGNORECASE)).click()
    for path in (
        "customers/customer",
        "billing/invoice",
        "billing/journalentry",
        "djstripe/charge",
    ):
        answer = page.goto(f"/admin/{path}/")
        assert answer is not None
        assert answer.status == 200, path
    page.goto("/admin/customers/customer/?q=wonderland")
    page.get_by_role("link", name=re.compile("wonderland", re.IGNORECASE)).first.click()
    expect(page.get_by_text("INV-").first).to_be_visible()
