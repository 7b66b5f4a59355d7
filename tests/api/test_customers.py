"""`/customers`."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from billing.services import test_clocks as clock_services
from customers import tax_ids
from customers.models import Customer, TaxId
from customers.vies import Answer
from tests.api.calling import Caller
from tests.api.stage import NOW

pytestmark = pytest.mark.django_db

ALICE: dict[str, Any] = {
    "organization_id": "org_alice",
    "name": "Alice Liddell",
    "email": "alice@example.org",
    "phone": "+44 20 7946 0999",
    "line1": "1 Rabbit Hole",
    "line2": "",
    "city": "Oxford",
    "state": "",
    "postal_code": "OX1 1AA",
    "country": "GB",
    "currency": "GBP",
    "locale": "en-GB",
    "timezone": "Europe/London",
    "metadata": {"plan": "trial"},
}
SETTINGS = ("organization_id", "currency", "locale", "timezone", "metadata")


def test_fields_go_in_flat_and_come_out_nested(operator: Caller) -> None:
    answer = operator.post("/customers", ALICE)

    assert answer.status == 201
    body = answer.body
    assert body == {
        **{name: ALICE[name] for name in SETTINGS},
        "details": {name: ALICE[name] for name in ALICE if name not in SETTINGS},
        "id": body["id"],
        "anonymous_id": body["anonymous_id"],
        "tax_ids": [],
        "tax_exemption": "",
        "test_clock": None,
        "version": 1,
        "created_at": body["created_at"],
        "updated_at": None,
    }
    assert body["anonymous_id"].startswith("anon_")
    assert answer.headers["ETag"] == '"1"'
    assert operator.get(f"/customers/{body['id']}").body == body


def test_one_for_each_organization(operator: Caller) -> None:
    operator.post("/customers", ALICE)

    again = operator.post("/customers", ALICE)

    assert (again.status, again.code) == (409, "customer_exists")


def test_a_customer_is_found_by_its_organization(operator: Caller, alice: Customer) -> None:
    operator.post("/customers", ALICE)

    found = operator.get("/customers?organization_id=alice").body

    assert [row["id"] for row in found["customers"]] == [str(alice.pk)]
    assert operator.get("/customers?organization_id=nobody").body["customers"] == []
    assert operator.get("/customers").body["total"] == 2


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"organization_id": ""}, "blank", "organization_id"),
        ({"organization_id": 5}, "invalid_request", "organization_id"),
        ({"country": "Britain"}, "unknown_country", "country"),
        ({"currency": "EURO"}, "unknown_currency", "currency"),
        ({"email": "alice"}, "invalid_request", "email"),
        ({"timezone": "Europe/Wonderland"}, "invalid_request", "timezone"),
        ({"locale": "english please"}, "invalid_request", "locale"),
        ({"metadata": []}, "invalid_request", "metadata"),
        ({"tax_ids": [{"type": "eu_vat"}]}, "required", "tax_ids.0.value"),
        ({"tax_ids": [{"type": "eu_wat", "value": "x"}]}, "invalid_choice", "tax_ids.0.type"),
        (
            {"tax_ids": [{"type": "eu_vat", "value": "DE136695975"}]},
            "invalid_tax_id",
            "tax_ids.0.value",
        ),
        ({"tax_exemption": "x" * 256}, "max_length", "tax_exemption"),
        ({"name": "x" * 256}, "max_length", "name"),
        ({"nickname": "Al"}, "unknown_field", "nickname"),
    ],
)
def test_bad_customers(operator: Caller, changes: dict[str, Any], code: str, field: str) -> None:
    answer = operator.post("/customers", {**ALICE, **changes})

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]
    assert Customer.objects.count() == 0


def test_what_is_not_named_stays(operator: Caller) -> None:
    made = operator.post("/customers", ALICE).body

    changed = operator.patch(f"/customers/{made['id']}", {"city": "London"})

    assert changed.status == 200
    assert changed.body["details"] == {**made["details"], "city": "London"}
    assert (changed.body["version"], changed.headers["ETag"]) == (2, '"2"')


def test_tax_numbers_are_told_with_their_standing(operator: Caller) -> None:
    numbers = [
        {"type": "eu_vat", "value": "de 136 695 976"},
        {"type": "gb_vat", "value": "980 7806 84"},
    ]
    made = operator.post("/customers", {**ALICE, "tax_ids": numbers}).body

    assert made["tax_ids"] == [
        {
            "type": "eu_vat",
            "value": "DE136695976",
            "country": "DE",
            "status": "unchecked",
            "is_stale": False,
            "checked_at": None,
        },
        {
            "type": "gb_vat",
            "value": "GB980780684",
            "country": "GB",
            "status": "unchecked",
            "is_stale": False,
            "checked_at": None,
        },
    ]
    number = TaxId.objects.get(kind="eu_vat")
    tax_ids.record_answer(number.pk, Answer(is_valid=True), now=NOW)
    path = f"/customers/{made['id']}"
    kept = operator.patch(path, {"tax_ids": numbers[:1]}).body["tax_ids"]
    assert [(row["value"], row["status"]) for row in kept] == [("DE136695976", "valid")]
    assert kept[0]["checked_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert operator.patch(path, {"city": "London"}).body["tax_ids"] == kept
    assert operator.patch(path, {"tax_ids": []}).body["tax_ids"] == []


def test_a_customer_gives_its_own_tax_number(as_alice: Caller, alice: Customer) -> None:
    number = {"type": "eu_vat", "value": "DE136695976"}

    answer = as_alice.patch(f"/customers/{alice.pk}", {"tax_ids": [number, number]})

    assert answer.status == 200
    assert [row["value"] for row in answer.body["tax_ids"]] == ["DE136695976"]


def test_an_exemption_is_an_operators(operator: Caller, alice: Customer) -> None:
    answer = operator.patch(f"/customers/{alice.pk}", {"tax_exemption": "Diplomatic mission."})

    assert answer.body["tax_exemption"] == "Diplomatic mission."


def test_an_organization_is_for_ever(operator: Caller, alice: Customer) -> None:
    answer = operator.patch(f"/customers/{alice.pk}", {"organization_id": "other"})

    assert (answer.status, answer.code) == (400, "unknown_field")


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', "1", '"0", "1"', "*"])
def test_a_change_of_what_was_seen(operator: Caller, alice: Customer, tag: str) -> None:
    assert operator.patch(f"/customers/{alice.pk}", {"city": "London"}, if_match=tag).status == 200


@pytest.mark.parametrize("tag", ['"0"', '"2"', '"x"', "x"])
def test_a_change_of_what_has_changed(operator: Caller, alice: Customer, tag: str) -> None:
    answer = operator.patch(f"/customers/{alice.pk}", {"city": "London"}, if_match=tag)

    assert (answer.status, answer.code) == (412, "version_mismatch")
    alice.details.refresh_from_db()
    assert alice.details.city == "Oxford"


@pytest.mark.parametrize(
    "fields",
    [
        {"currency": "EUR"},
        {"timezone": "UTC"},
        {"metadata": {}},
        {"tax_exemption": "Because."},
        {"test_clock": None},
    ],
)
def test_what_a_customer_may_not_change(
    as_alice: Caller, alice: Customer, fields: dict[str, Any]
) -> None:
    answer = as_alice.patch(f"/customers/{alice.pk}", {"city": "London", **fields})

    assert (answer.status, answer.code) == (403, "operator_only")


def test_a_test_clock_is_taken_and_left(operator: Caller) -> None:
    clock = clock_services.create(now=NOW)
    made = operator.post("/customers", {**ALICE, "test_clock": str(clock.pk)}).body
    path = f"/customers/{made['id']}"

    assert made["test_clock"] == str(clock.pk)
    assert operator.patch(path, {"test_clock": None}).body["test_clock"] is None
    assert operator.patch(path, {"test_clock": str(clock.pk)}).body["test_clock"] == str(clock.pk)


def test_a_clock_that_is_ahead_is_not_left(operator: Caller) -> None:
    clock = clock_services.create(now=NOW.replace(year=2150))
    made = operator.post("/customers", {**ALICE, "test_clock": str(clock.pk)}).body

    answer = operator.patch(f"/customers/{made['id']}", {"test_clock": None, "city": "London"})

    assert (answer.status, answer.code) == (409, "clock_ahead")
    assert operator.get(f"/customers/{made['id']}").body == made


def test_a_clock_that_is_not_there(operator: Caller, alice: Customer) -> None:
    answer = operator.patch(f"/customers/{alice.pk}", {"test_clock": str(alice.pk)})

    assert (answer.status, answer.code) == (404, "not_found")


def test_production_has_no_clocks(operator: Caller, settings: Settings) -> None:
    clock = clock_services.create(now=NOW)
    settings.TEST_CLOCKS = False

    answer = operator.post("/customers", {**ALICE, "test_clock": str(clock.pk)})

    assert (answer.status, answer.code) == (400, "not_supported")
