"""`/payment-methods`."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from billing.gateways.sandbox import gateway as sandbox
from billing.models import PaymentMethod
from customers.models import Customer
from tests.api.calling import Answer, Caller
from tests.api.stage import Stage, set_stage
from tests.offering import offer

pytestmark = pytest.mark.django_db


def _add(who: Caller, customer: Customer, **fields: Any) -> Answer:
    body = {"customer": str(customer.pk), "gateway": "sandbox", "token": "tok_ok", **fields}
    return who.post("/payment-methods", body)


def test_a_card_by_its_token(operator: Caller, alice: Customer) -> None:
    answer = _add(operator, alice)

    assert answer.status == 201
    assert answer.body == {
        "id": answer.body["id"],
        "customer": str(alice.pk),
        "gateway": "sandbox",
        "kind": "card",
        "brand": "visa",
        "last4": "4242",
        "exp_month": 12,
        "exp_year": 2040,
        "is_default": True,
        "version": 1,
        "added_at": answer.body["added_at"],
    }


def test_the_default_changes_when_asked(operator: Caller, alice: Customer) -> None:
    first = _add(operator, alice).body["id"]
    second = _add(operator, alice).body
    third = _add(operator, alice, is_default=True).body

    assert (second["is_default"], third["is_default"]) == (False, True)
    answer = operator.patch(f"/payment-methods/{first}", {"is_default": True})
    assert (answer.status, answer.body["is_default"]) == (200, True)
    listed = operator.get(f"/payment-methods?customer={alice.pk}").body["payment_methods"]
    assert [(row["id"], row["is_default"]) for row in listed] == [
        (third["id"], False),
        (second["id"], False),
        (first, True),
    ]


def test_a_declined_card_is_402(operator: Caller, alice: Customer) -> None:
    answer = _add(operator, alice, token="tok_setup_declined")

    assert (answer.status, answer.code) == (402, "card_declined")
    assert PaymentMethod.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"token": "tok_unheard_of"}, 400, "rejected_by_gateway"),
        ({"gateway": "abacus"}, 400, "unknown_gateway"),
        ({"number": "4242424242424242"}, 400, "unknown_field"),
        ({"is_default": "yes"}, 400, "invalid_request"),
    ],
)
def test_bad_methods(
    *, operator: Caller, alice: Customer, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = _add(operator, alice, **fields)

    assert (answer.status, answer.code) == (status, code)


def test_nobody_pays_in_production_with_a_card_that_is_none(
    operator: Caller, alice: Customer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TEST_CLOCKS = False
    offer(monkeypatch, *filter(None, [sandbox.build()]))

    assert _add(operator, alice).code == "unknown_gateway"


def test_a_gateway_that_is_switched_off_takes_none(operator: Caller, alice: Customer) -> None:
    operator.patch("/gateways/sandbox", {"enabled": False})

    answer = _add(operator, alice)

    assert (answer.status, answer.code) == (400, "no_gateway")
    assert PaymentMethod.objects.count() == 0


def test_there_is_always_a_default(operator: Caller, alice: Customer) -> None:
    made = _add(operator, alice).body["id"]

    answer = operator.patch(f"/payment-methods/{made}", {"is_default": False})

    assert (answer.status, answer.code) == (400, "not_supported")


def test_a_method_is_removed(operator: Caller, alice: Customer) -> None:
    first, second = (_add(operator, alice).body["id"] for _ in range(2))

    assert operator.delete(f"/payment-methods/{first}").status == 204

    assert operator.delete(f"/payment-methods/{first}").status == 404
    listed = operator.get("/payment-methods").body["payment_methods"]
    assert [(row["id"], row["is_default"]) for row in listed] == [(second, True)]


def test_the_last_one_of_a_running_subscription_stays(operator: Caller) -> None:
    stage: Stage = set_stage()
    operator.post(f"/test-clocks/{stage.clock.pk}/advance", {"now": "2026-04-20T00:00:00Z"})
    methods = operator.get(f"/payment-methods?customer={stage.alice.pk}").body["payment_methods"]

    statuses = [operator.delete(f"/payment-methods/{row['id']}") for row in methods]

    assert [answer.status for answer in statuses] == [204, 204, 409]
    assert statuses[-1].code == "payment_method_needed"


def test_only_redacted_details_are_shown(operator: Caller, alice: Customer) -> None:
    assert "pm.tok_ok" not in str(_add(operator, alice).body)
