"""The pages in a real browser: by keyboard, on a phone, in the dark, without scripts, on paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from billing.gateways.base import MethodDetails, Setup, SetupStatus
from billing.models import CheckoutSession
from billing.services import payment_methods
from tests.web.conftest import Browser, Opener, People, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 375, "height": 740}
PASSWORD = "curiouser and curiouser"


def test_signing_up_by_keyboard_alone_leads_to_the_trial(people: People, opened: Opener) -> None:
    page = opened().new_page()
    page.goto("/accounts/signup/")

    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    _tab_to(page, "email")
    page.keyboard.type("dora@example.org")
    _tab_to(page, "password1")
    page.keyboard.type(PASSWORD)
    _tab_to(page, "plan")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Premium")
    expect(page.get_by_text("14 days left. No card needed, nothing is charged.")).to_be_visible()


def test_signing_up_works_without_scripts(people: People, opened: Opener) -> None:
    page = opened(java_script_enabled=False).new_page()
    page.goto("/")

    page.get_by_role("link", name="Start free trial of Gold").click()
    page.get_by_label("Email").fill("dora@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Start free trial").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Gold")
    page.get_by_role("button", name="To the end of the trial").click()
    expect(page.get_by_text("Waiting for a payment method: your trial ended")).to_be_visible()


def test_a_card_that_is_confirmed_shows_by_itself(people: People, opened: Opener) -> None:
    customer, alice = people.signs_up("alice")
    session = CheckoutSession.objects.create(
        customer=customer, gateway="sandbox", kind="card", created_at=people.world.now
    )
    page = signed_in(opened(), alice).new_page()
    page.goto(f"/billing/payment-methods/confirming/{session.pk}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirming your card…")

    setup = Setup(
        reference=str(session.pk),
        external_id="seti.1",
        status=SetupStatus.COMPLETED,
        customer_external_id="cus.1",
        method=MethodDetails("pm.1", "card", "visa", "4242", 12, 2030),
    )
    payment_methods.settle(session.pk, setup=setup, now=people.world.now)

    expect(page.get_by_role("heading", level=1)).to_have_text("Your card is set up")
    expect(page.get_by_text("Visa •••• 4242, expires 12/2030")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/accounts/signup/", "/accounts/login/", "/plans/"])
def test_public_pages_fit_a_phone(people: People, opened: Opener, path: str) -> None:
    page = opened(viewport=PHONE).new_page()
    page.goto(path)

    assert _overflow(page) == 0


def test_pages_of_a_customer_fit_a_phone(people: People, opened: Opener) -> None:
    alice, invoice = _with_an_unpaid_invoice(people)
    page = signed_in(opened(viewport=PHONE), alice).new_page()

    for path in (
        "/billing/",
        "/billing/invoices/",
        invoice,
        "/billing/payment-methods/",
        "/billing/details/",
        "/plans/",
        "/accounts/email/",
    ):
        page.goto(path)
        assert _overflow(page) == 0, path


def test_the_dark_is_dark_and_the_chart_is_seen_in_it(people: People, opened: Opener) -> None:
    _, alice = people.signs_up("alice")
    page = signed_in(opened(color_scheme="dark"), alice).new_page()

    page.goto("/billing/")

    assert _style(page, "body", "backgroundColor") == "rgb(18, 23, 21)"
    assert _style(page, "body", "color") == "rgb(232, 237, 233)"
    assert _style(page, ".chart .serie-2 path", "stroke") == "rgb(239, 196, 111)"


def test_on_paper_there_is_the_invoice_and_nothing_else(people: People, opened: Opener) -> None:
    alice, invoice = _with_an_unpaid_invoice(people)
    page = signed_in(opened(), alice).new_page()
    page.goto(invoice)
    expect(page.get_by_role("button", name="Print")).to_be_visible()

    page.emulate_media(media="print")

    expect(page.get_by_role("article")).to_be_visible()
    for name in ("header", "nav", "footer", "button"):
        for element in page.locator(name).all():
            expect(element).not_to_be_visible()


def _with_an_unpaid_invoice(people: People) -> tuple[Browser, str]:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer, "tok_declined")
    people.world.at("2026-04-26 10:00").uses(customer, 300)
    people.world.at("2026-05-01 12:00")
    return alice, f"/billing/invoices/{people.world.newest_invoice(customer).pk}/"


def _tab_to(page: Page, name: str) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == name:
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", f"the focus on {name} is not seen"
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def _overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    width = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return int(width)


def _style(page: Page, selector: str, name: str) -> str:
    return str(page.locator(selector).first.evaluate(f"e => getComputedStyle(e).{name}"))
