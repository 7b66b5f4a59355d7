"""`/customers/{id}/credits`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from billing import clock
from billing.models import CreditGrant, Invoice
from billing.services import payment_methods, payments, subscriptions
from customers.models import Customer
from plans.prices import Price, UsageModel
from plans.terms import PlanTerms, UsageTerms
from tests import builders
from tests.api.calling import Caller
from tests.api.test_payments import owed

pytestmark = pytest.mark.django_db


def test_a_present_is_there_at_once(operator: Caller, as_alice: Caller, alice: Customer) -> None:
    soon = (clock.now() + timedelta(days=3)).isoformat()
    answer = operator.post(
        f"/customers/{alice.pk}/credits",
        {"amount": "20.00", "currency": "USD", "expires_at": soon, "reason": "Sorry"},
    )

    assert answer.status == 201
    assert {name: answer.body[name] for name in ("kind", "amount", "remaining", "draws")} == {
        "kind": "promotional",
        "amount": "20.00",
        "remaining": "20.00",
        "draws": [],
    }
    listed = as_alice.get(f"/customers/{alice.pk}/credits").body
    assert listed["balances"] == [
        {
            "currency": "USD",
            "remaining": "20.00",
            "available": "20.00",
            "expiring_soon": "20.00",
        }
    ]
    assert listed["credits"] == [answer.body]


def test_the_history_says_what_credit_was_used_for(operator: Caller, alice: Customer) -> None:
    operator.post(f"/customers/{alice.pk}/credits", {"amount": "20.00", "currency": "USD"})
    invoice = owed(operator, alice, "15")

    [credit] = operator.get(f"/customers/{alice.pk}/credits").body["credits"]

    assert credit["remaining"] == "5.00"
    assert [(row["kind"], row["invoice"], row["amount"]) for row in credit["draws"]] == [
        ("invoice", invoice, "15.00")
    ]
    assert operator.get(f"/invoices/{invoice}").body["credit_applied"] == "15.00"


def test_paid_credit_records_its_payment_and_may_settle_open_invoices(
    operator: Caller, alice: Customer
) -> None:
    invoice = owed(operator, alice, "15")
    answer = operator.post(
        f"/customers/{alice.pk}/credits",
        {
            "amount": "20.00",
            "currency": "USD",
            "kind": "paid",
            "gateway": "cash",
            "reference": "R 7",
            "settles_open": True,
        },
    )

    assert (answer.status, answer.body["remaining"]) == (201, "5.00")
    payment = operator.get(f"/payments/{answer.body['payment']}").body
    assert (payment["gateway"], payment["reference"]) == ("cash", "R 7")
    assert operator.get(f"/invoices/{invoice}").body["status"] == "paid"


def test_credit_is_sold_by_an_invoice(operator: Caller, alice: Customer) -> None:
    body = {"amount": "50.00", "currency": "USD", "kind": "paid", "charge": True}
    refused = operator.post(f"/customers/{alice.pk}/credits", body)
    assert (refused.status, refused.code) == (400, "no_payment_method")
    payment_methods.add(
        Customer.objects.readable().get(pk=alice.pk),
        token="tok_ok",
        now=clock.now(),
        gateway=builders.sandbox(),
        is_default=True,
    )

    answer = operator.post(f"/customers/{alice.pk}/credits", body)

    assert (answer.status, answer.body["amount"]) == (202, "50.00")
    payments.collect(answer.body["id"], now=clock.now())
    invoice = operator.get(f"/invoices/{answer.body['invoice_id']}").body
    assert (invoice["status"], invoice["purpose"], invoice["taxes"][0]["category"]) == (
        "paid",
        "credit",
        "O",
    )
    assert CreditGrant.objects.get().invoice_id == Invoice.objects.get().pk


def test_what_is_left_of_a_present_is_taken_back(operator: Caller, alice: Customer) -> None:
    path = f"/customers/{alice.pk}/credits"
    made = operator.post(path, {"amount": "20.00", "currency": "USD"}).body["id"]
    bought = operator.post(path, {"amount": "9.00", "currency": "USD", "kind": "paid"}).body["id"]

    assert operator.delete(f"{path}/{made}?reason=mistake").status == 204
    assert operator.delete(f"{path}/{made}").code == "nothing_left"
    assert operator.delete(f"{path}/{bought}").code == "paid_credit"


@pytest.mark.parametrize(
    "body",
    [
        {"charge": True},
        {"reference": "x"},
        {"kind": "paid", "charge": True, "priority": 3},
        {"kind": "paid", "charge": True, "settles_open": True},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"amount": "0.00"},
    ],
)
def test_credit_that_makes_no_sense_is_refused(
    operator: Caller, alice: Customer, body: dict[str, object]
) -> None:
    answer = operator.post(
        f"/customers/{alice.pk}/credits", {"amount": "5.00", "currency": "USD", **body}
    )
    assert answer.status == 400


def test_prepaid_usage_ends_with_the_credit(
    operator: Caller, as_alice: Caller, alice: Customer
) -> None:
    plan = operator.post(
        "/plans",
        {
            "name": "Prepaid",
            "currency": "USD",
            "amount": "0.00",
            "is_prepaid": True,
            "tax_class": "reduced",
            "usage": [],
        },
    )
    assert (plan.status, plan.body["is_prepaid"], plan.body["tax_class"]) == (201, True, "reduced")
    terms = PlanTerms(
        currency="USD",
        amount=Decimal(0),
        is_prepaid=True,
        usage=(UsageTerms("api_calls", Price(UsageModel.PER_UNIT, Decimal("0.10"))),),
    )
    metered = builders.make_plan("Metered", terms)
    payment_methods.add(
        Customer.objects.readable().get(pk=alice.pk),
        token="tok_ok",
        now=clock.now(),
        gateway=builders.sandbox(),
        is_default=True,
    )
    subscriptions.start(alice.pk, metered, by="test", now=clock.now())
    operator.post(f"/customers/{alice.pk}/credits", {"amount": "5.00", "currency": "USD"})
    path = f"/customers/{alice.pk}/entitlements/api_calls"
    assert as_alice.get(path).body["granted"] is True

    event = {"id": "e", "customer": "alice", "meter": "api_calls", "quantity": "60"}
    assert operator.post("/usage-events", event).body["accepted"] == 1

    found = as_alice.get(path).body
    assert (found["granted"], found["reason"]) == (False, "credit_exhausted")
    [balance] = operator.get(f"/customers/{alice.pk}/credits").body["balances"]
    assert balance["available"] == "-1.00"
