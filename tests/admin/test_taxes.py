"""Tax numbers and rates in the admin."""

from __future__ import annotations

import pytest
from django.test import Client

from customers.models import BillingDetails, Customer, TaxId, User
from tests.admin.conftest import Story
from tests.admin.urls_of import action, change

pytestmark = pytest.mark.django_db


def confirm(operator: Client, number: TaxId, reason: str) -> list[str]:
    entered = {"_form_submitted": "on", "reason": reason}
    answer = operator.post(action(number, "confirm"), entered, follow=True)
    return [str(message) for message in answer.context["messages"] or []]


def test_an_operator_vouches_for_a_number(story: Story, operator: Client) -> None:
    number = TaxId.objects.get(customer=story.alice)

    assert confirm(operator, number, "Letter of the tax office") == ["The number is confirmed."]

    number.refresh_from_db()
    me = User.objects.get(email="root@example.org")
    assert (number.status, number.confirmed_by) == ("VALID", f"user:{me.pk}")
    assert number.confirmation == "Letter of the tax office"
    assert action(number, "confirm") not in operator.get(change(number)).content.decode()


def test_vouching_needs_a_reason(story: Story, operator: Client) -> None:
    number = TaxId.objects.get(customer=story.alice)

    answer = operator.post(action(number, "confirm"), {"_form_submitted": "on", "reason": ""})

    assert answer.status_code == 200
    number.refresh_from_db()
    assert number.status == "UNCHECKED"


def test_a_customers_page_shows_their_numbers(story: Story, operator: Client) -> None:
    page = operator.get(change(story.alice)).content.decode()

    assert "DE136695976" in page
    assert "Tax numbers" in page


def test_an_operator_exempts_a_customer(story: Story, operator: Client) -> None:
    form = operator.get(change(story.alice)).context["adminform"].form
    prefix = "details"
    details = BillingDetails.objects.get(customer=story.alice)
    entered = {name: form.initial.get(name) or "" for name in form.fields}
    entered |= {"metadata": "{}", "tax_exemption": "Diplomatic mission"}
    entered |= {
        f"{prefix}-TOTAL_FORMS": "1",
        f"{prefix}-INITIAL_FORMS": "1",
        f"{prefix}-0-customer": str(story.alice.pk),
        f"{prefix}-0-country": "ie",
        f"{prefix}-0-name": details.name,
    }

    assert operator.post(change(story.alice), entered).status_code == 302

    changed = Customer.objects.get(pk=story.alice.pk)
    assert changed.tax_exemption == "Diplomatic mission"
    assert changed.details.country == "IE"
    refused = operator.post(change(story.alice), {**entered, f"{prefix}-0-country": "Wonderland"})
    assert "An ISO 3166 code" in refused.content.decode()


def test_a_country_as_an_integration_wrote_it_is_in_nobodys_way(
    story: Story, operator: Client
) -> None:
    BillingDetails.objects.filter(customer=story.alice).update(country="Country")
    form = operator.get(change(story.alice)).context["adminform"].form
    entered = {name: form.initial.get(name) or "" for name in form.fields}
    entered |= {
        "metadata": "{}",
        "details-TOTAL_FORMS": "1",
        "details-INITIAL_FORMS": "1",
        "details-0-customer": str(story.alice.pk),
        "details-0-country": "Country",
        "details-0-name": "Alice plc",
    }

    assert operator.post(change(story.alice), entered).status_code == 302

    details = BillingDetails.objects.get(customer=story.alice)
    assert (details.name, details.country) == ("Alice plc", "Country")
    operator.post(change(story.alice), {**entered, "details-0-country": "Ireland"})
    details.refresh_from_db()
    assert details.country == "IE"
