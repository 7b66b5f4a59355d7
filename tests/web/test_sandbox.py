"""Sandbox time: the panel, and that it is nowhere else."""

from __future__ import annotations

from datetime import datetime

import pytest
from pytest_django.fixtures import Settings

from customers import services as customer_services
from customers.models import Customer
from tests.web.conftest import Browser, People

pytestmark = pytest.mark.django_db(transaction=True)

ADVANCE = "/billing/sandbox/advance/"


def test_a_month_passes_by_two_buttons(people: People, today: datetime) -> None:
    customer, alice = _in_real_time(people)
    assert "11 April 2026, 09:00 UTC (real time, until you move it)" in alice.get("/billing/").text

    page = alice.post(ADVANCE, to=_jump(alice, "2026-04-25"))

    assert "Sandbox time: it is now 25 April 2026, 09:00 UTC." in page.text
    assert "Waiting for a payment method: your trial ended on 25 April 2026." in page.text
    customer.refresh_from_db()
    assert customer.test_clock is not None


def test_a_local_date_and_time_is_taken_in_the_customers_zone(
    people: People, today: datetime
) -> None:
    customer, alice = _in_real_time(people)
    customer_services.update(
        customer.pk, fields={"timezone": "Asia/Tokyo"}, by="test", now=people.world.now
    )

    page = alice.post(ADVANCE, to="2026-04-12T09:00")

    assert "it is now 12 April 2026, 09:00 JST" in page.text


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("", "Please enter when."),
        ("soon", "Please enter a date and a time."),
        ("2026-04-10T09:00", "A clock cannot go back."),
        ("2036-04-10T09:00", "That is too far: go at most 400 days at a time."),
    ],
)
def test_bad_instants_are_explained(
    people: People, today: datetime, to: str, sentence: str
) -> None:
    _, alice = _in_real_time(people)

    assert sentence in alice.post(ADVANCE, to=to).text


def test_outside_of_a_sandbox_there_is_no_such_thing(people: People, settings: Settings) -> None:
    _, alice = people.signs_up("alice")
    settings.TEST_CLOCKS = False

    assert "Sandbox" not in alice.get("/billing/").text
    assert alice.client.post(ADVANCE, {"to": "2026-05-01T09:00"}).status_code == 404


def _in_real_time(people: People) -> tuple[Customer, Browser]:
    """A customer without a clock of their own."""
    dora = people.person("dora")
    dora.post(f"/plans/{people.world.plan('Premium').pk}/start/")
    return Customer.objects.get(members__user__email="dora@example.org"), dora


def _jump(browser: Browser, day: str) -> str:
    buttons = browser.get("/billing/").all("button")
    return next(str(a["value"]) for a in buttons if str(a.get("value", "")).startswith(day))
