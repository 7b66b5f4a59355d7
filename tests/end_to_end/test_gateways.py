"""Gateways are switched while everything runs: the next charge goes by what stands then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.conftest import Demo, wait_for
from tests.end_to_end.test_story import add_card, customer_of, sign_up


@pytest.fixture
def person(browser: Browser, demo: Demo) -> Iterator[Page]:
    """A customer's window."""
    yield from _window(browser, demo)


@pytest.fixture
def operator(browser: Browser, demo: Demo) -> Iterator[Page]:
    """An operator's window, signed in to the admin; at the end Stripe is switched on again."""
    for page in _window(browser, demo):
        admin = demo.facts["admin"]
        page.goto("/admin/")
        page.get_by_label("Email").fill(admin["email"])
        page.get_by_label("Password").fill(admin["password"])
        page.get_by_role("button", name=re.compile("Log in|Sign in", re.IGNORECASE)).click()
        page.wait_for_load_state()
        yield page
    demo.call("PATCH", "/gateways/stripe", {"enabled": True})


def test_a_gateway_that_is_switched_off_gets_no_charge_from_then_on(
    person: Page, operator: Page, demo: Demo
) -> None:
    customer = customer_of(demo, sign_up(person))["id"]
    add_card(person)
    expect(person.get_by_text("Visa •••• 4242").first).to_be_visible()
    second = {"customer": customer, "gateway": "sandbox", "token": "tok_ok"}
    assert demo.call("POST", "/payment-methods", second).status == 201

    assert _charged(demo, customer)["gateway"] == "stripe"
    _switch(operator, "Stripe", "Switch off")
    charge = _charged(demo, customer)
    assert charge["gateway"] == "sandbox"
    assert charge["route_reason"] == "stripe is switched off; the next payment method"
    person.goto(f"/billing/invoices/{charge['invoice_id']}/")
    expect(person.locator(".title .badge")).to_have_text("Paid")

    _switch(operator, "Stripe", "Switch on")
    assert _charged(demo, customer)["gateway"] == "stripe"


def _window(browser: Browser, demo: Demo) -> Iterator[Page]:
    context = browser.new_context(base_url=demo.url, locale="en-GB", timezone_id="UTC")
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def _switch(page: Page, gateway: str, action: str) -> None:
    """By the button on the gateway's page in the admin, and that of the question it asks."""
    page.goto("/admin/billing/gatewayroute/")
    page.get_by_role("link", name=gateway, exact=True).first.click()
    page.locator("[hx-get]", has_text=action).first.click()
    page.locator("#dialog").get_by_role("button", name=action).click()
    said = f"{gateway} is {action.lower().replace('switch', 'switched')}."
    expect(page.get_by_text(said)).to_be_visible()


def _charged(demo: Demo, customer: str) -> dict[str, Any]:
    """An invoice by hand that a worker has charged: the charge."""
    item = {"description": "Consulting", "quantity": "1", "unit_amount": "25.00"}
    draft = {"customer": customer, "currency": "USD", "items": [item]}
    invoice = demo.call("POST", "/invoices", draft).body["id"]
    charge = demo.call("POST", "/charges", {"invoice_id": invoice}).body["id"]

    def done() -> dict[str, Any] | None:
        found: dict[str, Any] = demo.call("GET", f"/charges/{charge}").body
        return found if found["status"] == "succeeded" else None

    charged: dict[str, Any] = wait_for(done, seconds=60)
    return charged
