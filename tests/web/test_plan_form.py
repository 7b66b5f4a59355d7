"""The admin's form of a plan in a real browser, with scripts and without."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from customers.models import User
from plans.models import Plan
from plans.prices import Price, Tier, UsageModel
from plans.terms import UsageTerms
from tests.builders import make_meter, make_plan
from tests.terms import seed_terms
from tests.web.conftest import Browser, Opener, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

TIERS = (
    Tier(Decimal(100), Decimal(2), Decimal(5)),
    Tier(Decimal(1000), Decimal("1.5")),
    Tier(None, Decimal(1)),
)


@pytest.fixture
def operator(db: None) -> Browser:
    """Somebody who may do everything."""
    make_meter()
    return Browser(User.objects.create_superuser("root@example.org", "secret"))


def test_tiers_are_typed_and_their_prices_seen(operator: Browser, opened: Opener) -> None:
    page = window(operator, opened)
    page.goto(reverse("admin:plans_plan_add"))
    page.locator("[name=name]").fill("Team")
    page.locator("[name=amount]").fill("20")

    page.get_by_role("button", name="Add a usage price").click()
    page.locator("[name=usage-0-meter]").select_option("api_calls")
    page.locator("[name=usage-0-model]").select_option("GRADUATED")
    expect(page.locator("[name=usage-0-included]")).to_be_hidden()
    enter(page, "usage-0-tiers-0", ("100", "2", "5"))
    enter(page, "usage-0-tiers-1", ("1000", "1.5", ""))
    enter(page, "usage-0-tiers-2", ("", "1", ""))

    expect(page.locator("[data-preview]")).to_contain_text("10,555.00 USD")
    expect(page.locator("[data-preview]")).to_contain_text("100 × 2.00 + 5.00 flat = 205.00 USD")
    save(page)
    assert Plan.objects.readable().get().terms.usage == (
        UsageTerms("api_calls", Price(UsageModel.GRADUATED, tiers=TIERS)),
    )


def test_rows_come_and_go(operator: Browser, opened: Opener) -> None:
    make_meter("storage")
    graduated = UsageTerms("api_calls", Price(UsageModel.GRADUATED, tiers=TIERS))
    storage = UsageTerms("storage", Price(UsageModel.PER_UNIT, Decimal(3)))
    plan = make_plan("Team", seed_terms("20", "0", "0", usage=(graduated, storage)))
    page = window(operator, opened)
    page.goto(reverse("admin:plans_plan_change", args=[plan.pk]))
    tiers = page.locator("[data-rows=usage-0-tiers]")
    expect(tiers.locator("tbody tr")).to_have_count(3)

    page.locator("[data-rows=usage] > [data-list] > [data-row]").nth(1).locator(
        ".fields [data-remove]"
    ).click()
    tiers.locator("tbody [data-remove]").nth(1).click()
    page.locator("[name=usage-0-tiers-2-up_to]").fill("500")
    tiers.get_by_role("button", name="Add a tier").click()
    expect(page.locator("[name=usage-0-tiers-3-up_to]")).to_be_focused()
    enter(page, "usage-0-tiers-3", ("", "0.5", ""))

    expect(page.locator("[data-preview]")).not_to_contain_text("storage")
    save(page)
    assert Plan.objects.readable().get().terms.usage == (
        UsageTerms(
            "api_calls",
            Price(
                UsageModel.GRADUATED,
                tiers=(TIERS[0], Tier(Decimal(500), Decimal(1)), Tier(None, Decimal("0.5"))),
            ),
        ),
    )


def test_what_the_price_does_not_take_is_not_sent(operator: Browser, opened: Opener) -> None:
    plan = make_plan()
    page = window(operator, opened)
    page.goto(reverse("admin:plans_plan_change", args=[plan.pk]))

    page.locator("[name=usage-0-model]").select_option("PER_UNIT")

    expect(page.locator("[data-preview]")).to_contain_text("18,000.00 USD")
    save(page)
    (usage,) = Plan.objects.readable().get().terms.usage
    assert usage.price == Price(UsageModel.PER_UNIT, Decimal("1.80"))


def test_the_form_works_without_scripts(operator: Browser, opened: Opener) -> None:
    page = window(operator, opened, java_script_enabled=False)
    page.goto(reverse("admin:plans_plan_add"))
    page.locator("[name=name]").fill("Team")
    page.locator("[name=amount]").fill("20")
    page.locator("[name=usage-0-meter]").select_option("api_calls")
    page.locator("[name=usage-0-model]").select_option("VOLUME")
    enter(page, "usage-0-tiers-0", ("100", "2", "5"))
    enter(page, "usage-0-tiers-1", ("", "1", ""))

    page.get_by_role("button", name="Preview").click()

    expect(page.locator("[data-preview]")).to_contain_text("205.00 USD")
    assert not Plan.objects.exists()
    page.locator("[name=usage-0-tiers-0-flat_amount]").fill("0")
    page.locator("[name=amount]").press("Enter")
    expect(page.get_by_text("was added successfully")).to_be_attached()  # the theme hides its list
    assert Plan.objects.readable().get().terms.usage == (
        UsageTerms(
            "api_calls",
            Price(UsageModel.VOLUME, tiers=(Tier(Decimal(100), Decimal(2)), TIERS[2])),
        ),
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_fits_its_window(operator: Browser, opened: Opener, scheme: str) -> None:
    plan = make_plan("Team", seed_terms("20", "400", "1.80"))
    for width in (390, 800, 1440):
        page = window(
            operator, opened, color_scheme=scheme, viewport={"width": width, "height": 800}
        )
        page.goto(reverse("admin:plans_plan_change", args=[plan.pk]))
        page.locator("[name=usage-0-model]").select_option("VOLUME")
        wider = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, width


def window(operator: Browser, opened: Opener, **options: object) -> Page:
    """A window of theirs. The admin names no icon, so that browsers ask for one."""
    context = signed_in(opened(**options), operator)
    context.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    return context.new_page()


def enter(page: Page, row: str, texts: tuple[str, str, str]) -> None:
    """Fill in a tier: up to, price per unit, flat amount."""
    for name, text in zip(("up_to", "unit_amount", "flat_amount"), texts, strict=True):
        page.locator(f"[name={row}-{name}]").fill(text)


def save(page: Page) -> None:
    """Send the form."""
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("successfully")).to_be_visible()
