"""Billing details: saved, refused, and saved by two at once."""

from __future__ import annotations

import pytest

from customers import services as customer_services
from customers import tax_ids
from customers.models import BillingDetails, Customer, TaxId
from customers.vies import Answer
from tests.web.conftest import Browser, People

pytestmark = pytest.mark.django_db(transaction=True)

DETAILS = "/billing/details/"


def test_details_are_saved_by_the_person_who_is_signed_in(people: People) -> None:
    customer, alice = people.signs_up("alice")

    page = alice.post(DETAILS, **_fields(customer, name="Wonderland plc", timezone="Asia/Tokyo"))

    assert "Your billing details are saved." in page.text
    customer.refresh_from_db()
    assert customer.timezone == "Asia/Tokyo"
    assert customer.updated_by.startswith("user:")
    assert BillingDetails.objects.get(customer=customer).name == "Wonderland plc"


def test_bad_input_is_explained_beside_its_field(people: People) -> None:
    customer, alice = people.signs_up("alice")

    page = alice.post(DETAILS, **_fields(customer, email="no address", timezone="Mars/Olympus"))

    assert page.status == 422
    assert "Enter a valid email address." in page.text
    assert "Mars/Olympus is not one of the available choices." in page.text
    assert page.faults() == []


def test_a_change_by_somebody_else_is_not_overwritten_unseen(people: People) -> None:
    customer, alice = people.signs_up("alice")
    seen = _fields(customer, name="Typed by Alice")
    customer_services.update(
        customer.pk, fields={"name": "Saved by Bob"}, by="user:0", now=people.world.now
    )

    page = alice.post(DETAILS, **seen)

    assert page.status == 409
    assert "Somebody else changed these details while you did." in page.text
    assert "Name or company: Saved by Bob" in page.text
    assert BillingDetails.objects.get(customer=customer).name == "Saved by Bob"
    assert 'value="Typed by Alice"' in page.html
    version = next(a["value"] for a in page.all("input") if a.get("name") == "version")
    assert "saved" in alice.post(DETAILS, **{**seen, "version": str(version)}).text
    assert BillingDetails.objects.get(customer=customer).name == "Typed by Alice"


def test_a_form_without_its_token_changes_nothing(people: People) -> None:
    customer, alice = people.signs_up("alice")
    strict = Browser()
    strict.client.handler.enforce_csrf_checks = True
    strict.client.cookies = alice.client.cookies

    page = strict.post(DETAILS, **_fields(customer, name="Mallory"))

    assert page.status == 403
    assert "This form is too old" in page.text
    assert BillingDetails.objects.get(customer=customer).name == "Alice Liddell"


def test_a_business_gives_its_vat_number(people: People) -> None:
    customer, alice = people.signs_up("alice")

    page = alice.post(DETAILS, **_fields(customer, country="DE", tax_number="de 136 695 976"))

    assert "Your billing details are saved." in page.text
    number = TaxId.objects.get(customer=customer)
    assert (number.kind, number.value, number.status) == ("eu_vat", "DE136695976", "UNCHECKED")
    page = alice.get(DETAILS)
    assert 'value="DE136695976"' in page.html
    assert "DE136695976: not confirmed yet" in page.text
    assert page.faults() == []
    tax_ids.record_answer(number.pk, Answer(is_valid=False), now=people.world.now)
    assert "DE136695976: the register does not know it" in alice.get(DETAILS).text

    alice.post(DETAILS, **_fields(customer, country="GB", tax_number="GB 980 7806 84"))
    assert [row.kind for row in TaxId.objects.filter(customer=customer)] == ["gb_vat"]

    alice.post(DETAILS, **_fields(customer, tax_number=""))
    assert not TaxId.objects.filter(customer=customer).exists()


def test_a_malformed_vat_number_is_explained(people: People) -> None:
    customer, alice = people.signs_up("alice")

    page = alice.post(DETAILS, **_fields(customer, country="DE", tax_number="DE136695975"))

    assert page.status == 422
    assert "is no EU VAT number" in page.text
    assert not TaxId.objects.exists()


def test_numbers_beyond_the_first_stay(people: People) -> None:
    customer, alice = people.signs_up("alice")
    numbers = [("eu_vat", "DE136695976"), ("eu_vat", "IT00743110157")]
    customer_services.set_tax_ids(customer.pk, numbers, by="test", now=people.world.now)

    alice.post(DETAILS, **_fields(customer, country="FR", tax_number="FR40303265045"))

    values = {row.value for row in TaxId.objects.filter(customer=customer)}
    assert values == {"FR40303265045", "IT00743110157"}


def test_a_country_as_an_integration_wrote_it_stays_until_another_is_chosen(
    people: People,
) -> None:
    customer, alice = people.signs_up("alice")
    BillingDetails.objects.filter(customer=customer).update(country="Country")

    alice.post(DETAILS, **_fields(customer, name="Wonderland plc", country=""))

    details = BillingDetails.objects.get(customer=customer)
    assert (details.name, details.country) == ("Wonderland plc", "Country")
    alice.post(DETAILS, **_fields(customer, country="FR"))
    details.refresh_from_db()
    assert details.country == "FR"


def _fields(customer: Customer, **changes: str) -> dict[str, str]:
    customer = Customer.objects.readable().get(pk=customer.pk)
    names = customer_services.DETAILS
    fields = {name: str(getattr(customer.details, name)) for name in names}
    return {
        **fields,
        "tax_number": next((row.value for row in customer.tax_ids.order_by("pk")), ""),
        "timezone": customer.timezone,
        "version": str(customer.version),
        **changes,
    }
