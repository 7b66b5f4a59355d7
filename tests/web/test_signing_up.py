"""From the price list to a trial."""

from __future__ import annotations

from datetime import datetime

import pytest
from pytest_django.fixtures import Settings

from billing.models import Subscription
from customers.models import Customer, CustomerUser, User
from plans import services as plan_services
from tests import builders
from tests.web.conftest import Browser, People
from tests.web.markup import Page

pytestmark = pytest.mark.django_db(transaction=True)

SIGN_UP = "/accounts/signup/"


def test_the_price_list_says_what_each_plan_costs(people: People) -> None:
    page = Browser().get("/")

    assert "Premium $180.00 a month" in page.text
    assert "400 api calls included, then $1.80 each" in page.text
    assert "14 days free, without a card" in page.text
    plan = people.world.plan("Premium")
    assert f"{SIGN_UP}?plan={plan.pk}" in [a.get("href") for a in page.all("a")]


def test_the_plan_they_came_from_is_chosen(people: People) -> None:
    plan = people.world.plan("Premium")

    page = Browser().get(f"{SIGN_UP}?plan={plan.pk}")

    chosen = [a["value"] for a in page.all("input") if "checked" in a]
    assert chosen == [str(plan.pk)]


def test_a_person_who_signs_up_lands_on_their_trial(people: People, today: datetime) -> None:
    page = _sign_up(people, Browser())

    assert page.path == "/billing/"
    assert "Trial until 25 April 2026, 14 days left." in page.text
    user = User.objects.get(email="dora@example.org")
    customer = Customer.objects.get(members__user=user)
    assert customer.details.email == "dora@example.org"
    assert customer.currency == "USD"
    assert customer.created_by == f"user:{user.pk}"
    assert Subscription.objects.get(customer=customer).trial_start == today


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"plan": ""}, "Please choose a plan."),
        ({"plan": "no plan"}, "This plan is not on sale. Please choose another."),
        ({"email": "nobody"}, "Enter a valid email address."),
        ({"password1": "12345678"}, "This password is too common."),
    ],
)
def test_bad_input_is_explained(people: People, changes: dict[str, str], sentence: str) -> None:
    page = _sign_up(people, Browser(), **changes)

    assert page.path == SIGN_UP
    assert sentence in page.text
    assert page.faults() == []
    assert not Customer.objects.exists()


def test_an_address_signs_up_once(people: People) -> None:
    _sign_up(people, Browser())

    page = _sign_up(people, Browser())

    assert "A user is already registered with this email address." in page.text
    assert CustomerUser.objects.count() == 1


def test_a_plan_that_went_off_sale_meanwhile_is_explained(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.services import onboarding

    plan, sign_up = people.world.plan("Premium"), onboarding.sign_up

    def too_late(*args: object, **kwargs: object) -> Subscription:
        plan_services.retire(plan.pk, by="test", now=people.world.now)
        return sign_up(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(onboarding, "sign_up", too_late)

    page = _sign_up(people, Browser())

    assert page.path == "/plans/"
    assert "This plan is not on sale." in page.text
    assert "Choose a plan to begin" in page.text
    assert not Customer.objects.exists()


def test_a_mail_server_that_is_down_keeps_nobody_out(people: People, settings: Settings) -> None:
    settings.ACCOUNT_ADAPTER = "billing.web.accounts.AccountAdapter"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    page = _sign_up(people, Browser())

    assert page.path == "/billing/"
    assert "Free trial" in page.text


def test_who_is_signed_in_goes_from_the_start_to_their_billing(people: People) -> None:
    _, alice = people.signs_up("alice")

    assert alice.get("/").path == "/billing/"


def test_a_plan_for_one_organization_is_shown_to_it_alone(people: People) -> None:
    builders.make_plan("Only Alice", is_public=False, allowed_organizations=["alice"])
    _, alice = people.signs_up("alice")

    assert "Only Alice" in alice.get("/plans/").text
    assert "Only Alice" not in Browser().get("/plans/").text


def _sign_up(people: People, browser: Browser, **changes: str) -> Page:
    fields = {
        "email": "dora@example.org",
        "password1": "curiouser and curiouser",
        "plan": str(people.world.plan("Premium").pk),
    }
    return browser.post(SIGN_UP, **{**fields, **changes})
