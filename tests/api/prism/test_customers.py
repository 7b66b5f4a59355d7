"""`/billing/customer`: who pays; whose country is kept as they wrote it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from django.db import transaction
from django.test import Client

from billing.core.invoicing import Item
from billing.core.tax_policies import TaxPolicyKind
from billing.models import Invoice, Seller
from billing.services import invoices
from customers.models import BillingDetails, Customer
from tests import builders
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db

NOW: Final = datetime(2026, 11, 20, 10, tzinfo=UTC)
JOHN: Final = {
    "organization_id": "8b131663-058d-4e8f-8ccb-cc83c3f9e694",
    "name": "John Doe",
    "email": "john.doe@example.com",
    "line1": "123 Main St",
    "city": "Anytown",
    "country": "Country",
    "postal_code": "12345",
    "phone": "1234567890",
}
CUSTOMER: Final = "/billing/customer"


def test_one_for_each_organization(operator: Caller) -> None:
    assert operator.post(CUSTOMER, JOHN).status == 201

    again = operator.post(CUSTOMER, JOHN)

    assert (again.status, again.code) == (409, "customer_exists")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"organization_id": ""}, "blank", "organization_id"),
        ({"email": "john"}, "invalid_request", "email"),
        ({"country": "C" * 65}, "max_length", "country"),
        ({"country": 49}, "invalid_request", "country"),
        ({"currency": "EUR"}, "unknown_field", "currency"),
        ({"details": {}}, "unknown_field", "details"),
    ],
)
def test_bad_customers(operator: Caller, changes: dict[str, Any], code: str, field: str) -> None:
    answer = operator.post(CUSTOMER, {**JOHN, **changes})

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]
    assert Customer.objects.count() == 0


def test_the_organization_must_be_named(operator: Caller) -> None:
    answer = operator.post(CUSTOMER, {"name": "John Doe"})

    assert (answer.status, answer.code) == (400, "required")


@pytest.mark.parametrize("base", [CUSTOMER, "/billing/organization/customer"])
@pytest.mark.parametrize("named_by", ["id", "organization_id"])
def test_what_is_not_named_stays(operator: Caller, base: str, named_by: str) -> None:
    made = operator.post(CUSTOMER, JOHN).body

    changed = operator.patch(f"{base}/{made[named_by]}", {"name": "John Dozen", "state": "State"})

    assert changed.status == 200
    assert changed.body == {
        **made,
        "details": {**made["details"], "name": "John Dozen", "state": "State"},
        "updated_by": made["created_by"],
        "updated_at": changed.body["updated_at"],
    }
    assert changed.body["updated_at"] > made["created_at"]
    assert operator.get(f"/customers/{made['id']}").body["version"] == 2


def test_an_id_is_a_customers_before_it_is_an_organizations(operator: Caller) -> None:
    first = operator.post(CUSTOMER, JOHN).body
    operator.post(CUSTOMER, {"organization_id": first["id"]})

    changed = operator.patch(f"{CUSTOMER}/{first['id']}", {"city": "London"})

    assert changed.body["organization_id"] == JOHN["organization_id"]


def test_a_customer_changes_themselves_and_is_told_no_operators_name(
    operator: Caller, alice: Customer, as_alice: Caller, as_charlie: Caller
) -> None:
    made = operator.post(CUSTOMER, JOHN).body
    assert made["created_by"].startswith("test (bsr_")

    changed = as_alice.patch(f"{CUSTOMER}/alice", {"city": "London"})

    assert changed.body["details"]["city"] == "London"
    assert changed.body["created_by"] == ""
    assert changed.body["updated_by"].startswith("token bsr_")
    for address in (f"{CUSTOMER}/alice", f"{CUSTOMER}/{alice.pk}"):
        assert as_charlie.patch(address, {"city": "Paris"}).code == "not_found"
    operator.patch(f"{CUSTOMER}/alice", {"city": "Oxford"})
    assert as_alice.get("/billing/organization/alice").body["updated_by"] == ""


def test_an_erased_customer_is_not_changed(operator: Caller, alice: Customer) -> None:
    assert operator.post(f"/customers/{alice.pk}/erase").status == 200

    answer = operator.patch(f"{CUSTOMER}/{alice.pk}", {"city": "London"})

    assert (answer.status, answer.code) == (409, "customer_erased")


@pytest.mark.parametrize(
    "media_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""]
)
def test_a_body_is_json_whatever_it_is_said_to_be(operator: Caller, media_type: str) -> None:
    def sent(body: str) -> Any:
        headers = {"Authorization": f"Bearer {operator.token}"}
        return Client().generic("POST", CUSTOMER, body, content_type=media_type, headers=headers)

    assert sent('{"organization_id": "org_1"}').status_code == 201
    refused = sent("organization_id=org_2&name=John")
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed_json")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert list(Customer.objects.values_list("organization_id", flat=True)) == ["org_1"]


@pytest.mark.parametrize(
    ("given", "code"),
    [("Country", ""), ("Germany", "DE"), (" deu ", "DE"), ("fr", "FR"), ("XX", ""), ("", "")],
)
def test_a_country_is_shown_as_given_and_read_as_a_code(
    operator: Caller, given: str, code: str
) -> None:
    made = operator.post(CUSTOMER, {**JOHN, "country": given}).body

    assert made["details"]["country"] == given.strip()
    assert operator.get(f"/customers/{made['id']}").body["details"]["country"] == code


@pytest.mark.parametrize(
    ("given", "percent", "on_the_document"),
    [
        ("France", 20, "FR"),
        ("Country", 19, "Country"),  # as if they were where the seller is
        ("XX", 19, "XX"),
    ],
)
def test_a_country_that_is_none_fails_no_invoice(
    operator: Caller, given: str, percent: int, on_the_document: str
) -> None:
    Seller.objects.update(is_default=False)
    Seller.objects.create(
        name="Ours GmbH",
        country="DE",
        tax_policy=TaxPolicyKind.EU_VAT,
        is_oss_registered=True,
        is_default=True,
    )
    made = operator.post(CUSTOMER, {**JOHN, "country": given}).body
    items = [Item("Set-up", Decimal(1), Decimal(100))]
    draft = invoices.draft(made["id"], currency="EUR", items=items, by="test", now=NOW)

    with transaction.atomic():
        invoices.finalize([draft], now=NOW)

    invoice = Invoice.objects.get()
    assert invoice.tax_minor == percent * 100
    assert invoice.buyer["country"] == on_the_document
    assert BillingDetails.objects.get().country == given


def test_a_country_that_is_written_out_finds_its_gateway(operator: Caller) -> None:
    operator.patch("/gateways/bank_transfer", {"enabled": False})
    operator.patch("/gateways/sandbox", {"countries": ["DE"]})
    urls = {"success_url": "https://example.com/ok", "cancel_url": "https://example.com/no"}

    def goes_to_the_gateway(country: str) -> int:
        body = {**JOHN, "organization_id": country, "country": country}
        customer = operator.post(CUSTOMER, body).body
        return operator.post("/checkout-sessions", {"customer": customer["id"], **urls}).status

    assert goes_to_the_gateway("Germany") == 201
    assert goes_to_the_gateway("France") == 503
    assert goes_to_the_gateway("Country") == 201  # nobody knows that it is not for them


@pytest.mark.parametrize(
    "path", ["plans/none", "customer/a/b", "customer/", "organization", "organization/a/b"]
)
def test_an_integration_that_is_lost_is_not_shown_a_page(operator: Caller, path: str) -> None:
    answer = operator.get(f"/billing/{path}")

    assert (answer.status, answer.code) == (404, "not_found")


def test_an_address_that_no_table_can_hold_is_nobodys(operator: Caller) -> None:
    builders.make_customer("alice")

    assert operator.get("/billing/organization/alice%00").status == 404
    assert operator.patch(f"{CUSTOMER}/a%00", {"city": "London"}).status == 404
