"""`/payments` and `/invoices/{id}/instalments`."""

from __future__ import annotations

from typing import Any

import pytest

from billing import clock
from billing.models import Invoice
from billing.services import invoices
from customers.models import Customer
from tests import builders
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db


def owed(operator: Caller, who: Customer, amount: str) -> str:
    """An invoice of theirs that is finalized; its id."""
    drafted = operator.post(
        "/invoices",
        {
            "customer": str(who.pk),
            "currency": "USD",
            "items": [{"description": "Set-up", "quantity": "1", "unit_amount": amount}],
        },
    )
    invoices.issue(drafted.body["id"], now=clock.now())
    return str(drafted.body["id"])


def paid(who: Customer, amount: str, **fields: Any) -> dict[str, Any]:
    return {"customer": str(who.pk), "amount": amount, "currency": "USD", **fields}


def test_one_payment_settles_several_invoices(operator: Caller, alice: Customer) -> None:
    first, second = owed(operator, alice, "60"), owed(operator, alice, "30")
    parts = [{"id": first, "amount": "60.00"}, {"id": second}]

    answer = operator.post("/payments", paid(alice, "100.00", reference="S 1", invoices=parts))

    assert answer.status == 201
    body = answer.body
    assert [(row["invoice"], row["amount"]) for row in body["allocations"]] == [
        (first, "60.00"),
        (second, "30.00"),
    ]
    assert [(row["amount"], row["remaining"], row["kind"]) for row in body["credits"]] == [
        ("10.00", "10.00", "paid")
    ]
    assert {name: body[name] for name in ("gateway", "reference", "amount", "attempt")} == {
        "gateway": "bank_transfer",
        "reference": "S 1",
        "amount": "100.00",
        "attempt": None,
    }
    assert operator.get(f"/payments/{body['id']}").body == body
    invoice = operator.get(f"/invoices/{second}").body
    assert (invoice["status"], invoice["amount_paid"], invoice["amount_due"]) == (
        "paid",
        "30.00",
        "0.00",
    )
    assert [row["id"] for row in invoice["payments"]] == [body["id"]]


def test_the_same_reference_is_a_conflict_and_the_same_call_its_answer(
    operator: Caller, alice: Customer
) -> None:
    body = paid(alice, "10.00", reference="S 1")

    first = operator.post("/payments", body, idempotency_key="k1")
    replayed = operator.post("/payments", body, idempotency_key="k1")
    again = operator.post("/payments", body)

    assert (replayed.status, replayed.body) == (201, first.body)
    assert (again.status, again.code) == (409, "duplicate_payment")
    assert operator.get("/payments?reference=S 1").body["total"] == 1


def test_the_payer_is_found_by_what_the_transfer_says(operator: Caller, alice: Customer) -> None:
    older, meant = owed(operator, alice, "10"), owed(operator, alice, "60")
    reference = operator.get(f"/invoices/{meant}").body["payment_reference"]
    told = {"amount": "65.00", "currency": "USD", "reference": f"thanks! {reference}"}

    answer = operator.post("/payments", told)

    assert (answer.status, answer.body["customer"]) == (201, str(alice.pk))
    assert [(row["invoice"], row["amount"]) for row in answer.body["allocations"]] == [
        (meant, "60.00")
    ]
    assert [row["remaining"] for row in answer.body["credits"]] == ["5.00"]
    assert operator.get(f"/invoices/{meant}").body["status"] == "paid"
    assert operator.get(f"/invoices/{older}").body["amount_due"] == "10.00"


def test_the_payer_is_found_and_the_invoices_are_as_named(
    operator: Caller, alice: Customer
) -> None:
    other, meant = owed(operator, alice, "10"), owed(operator, alice, "60")
    number = operator.get(f"/invoices/{meant}").body["number"]
    told = {"amount": "10.00", "currency": "USD", "reference": number, "customer": None}

    answer = operator.post("/payments", {**told, "invoices": [{"id": other}]})

    assert [row["invoice"] for row in answer.body["allocations"]] == [other]
    assert operator.get(f"/invoices/{meant}").body["amount_due"] == "60.00"


def test_a_reference_that_names_nobody_or_several(operator: Caller, alice: Customer) -> None:
    bob = builders.make_customer("bob")
    numbers = [
        operator.get(f"/invoices/{owed(operator, who, '9')}").body["number"] for who in (alice, bob)
    ]
    for reference in ("", "hello", " and ".join(numbers)):
        told = {"amount": "9.00", "currency": "USD", "reference": reference}
        answer = operator.post("/payments", told)
        assert (answer.status, answer.code) == (400, "no_match")
        assert list(answer.body["errors"]) == ["reference"]
    in_euro = {"amount": "9.00", "currency": "EUR", "reference": numbers[0]}
    assert operator.post("/payments", in_euro).code == "no_match"
    assert operator.get("/payments").body["total"] == 0


def test_payments_are_listed_by_customer_and_way(
    operator: Caller, as_alice: Caller, alice: Customer
) -> None:
    operator.post("/payments", paid(alice, "10.00"))
    operator.post("/payments", paid(alice, "20.00", gateway="cash"))

    assert operator.get("/payments").body["total"] == 2
    found = as_alice.get(f"/payments?customer={alice.pk}&gateway=cash").body["payments"]
    assert [row["amount"] for row in found] == ["20.00"]


def test_a_payment_is_moved_to_another_invoice(operator: Caller, alice: Customer) -> None:
    wrong, right = owed(operator, alice, "60"), owed(operator, alice, "40")
    parts = [{"id": wrong, "amount": "60.00"}]
    made = operator.post("/payments", paid(alice, "60.00", invoices=parts)).body["id"]

    undone = operator.post(
        f"/payments/{made}/reversals", {"invoice": wrong, "reason": "the other one"}
    )
    moved = operator.post(f"/payments/{made}/allocations", {"invoice": right})

    assert undone.body["allocations"][0]["reversed_at"] is not None
    assert (moved.status, moved.body["credits"][0]["remaining"]) == (201, "20.00")
    draws = moved.body["credits"][0]["draws"]
    assert [(row["kind"], row["invoice"], row["amount"]) for row in draws] == [
        ("invoice", right, "40.00")
    ]
    shown = operator.get(f"/invoices/{right}").body
    assert (shown["status"], shown["amount_paid"], shown["credit_applied"]) == (
        "paid",
        "0.00",
        "40.00",
    )
    reopened = operator.get(f"/invoices/{wrong}").body
    assert (reopened["status"], reopened["payments"]) == ("pending", [])


def test_a_bounced_payment_is_undone(operator: Caller, alice: Customer) -> None:
    invoice = owed(operator, alice, "60")
    made = operator.post("/payments", paid(alice, "60.00")).body["id"]

    answer = operator.post(f"/payments/{made}/reversals", {"reason": "bounced"})

    assert answer.status == 201
    assert answer.body["reversed_at"] is not None
    assert operator.get(f"/invoices/{invoice}").body["status"] == "pending"
    again = operator.post(f"/payments/{made}/reversals", {"reason": "bounced"})
    assert (again.status, again.code) == (409, "payment_reversed")


def test_what_makes_no_sense_is_refused(operator: Caller, alice: Customer) -> None:
    draft = operator.post(
        "/invoices",
        {
            "customer": str(alice.pk),
            "currency": "USD",
            "items": [{"description": "x", "quantity": "1", "unit_amount": "5"}],
        },
    ).body["id"]
    for body, status, code in [
        (paid(alice, "0.00"), 400, "invalid_amount"),
        (paid(alice, "1.001"), 400, "too_many_decimals"),
        (paid(alice, "1.00", gateway="sandbox"), 400, "invalid_gateway"),
        (paid(alice, "1.00", received_at="2199-01-01T00:00:00Z"), 400, "in_the_future"),
        (paid(alice, "1.00", invoices=[{"id": draft}]), 409, "not_finalized"),
        (paid(alice, "1.00", invoices=[{"id": str(alice.pk)}]), 400, "no_such_invoice"),
    ]:
        answer = operator.post("/payments", body)
        assert (answer.status, answer.code) == (status, code)


def test_an_invoice_is_paid_in_instalments(operator: Caller, alice: Customer) -> None:
    invoice = owed(operator, alice, "100")
    rhythm = {"count": 3, "first_due_at": "2099-05-31T09:00:00Z", "interval": "month"}

    agreed = operator.post(f"/invoices/{invoice}/instalments", rhythm)
    operator.post("/payments", paid(alice, "40.00"))

    assert agreed.status == 201
    parts = operator.get(f"/invoices/{invoice}").body["instalments"]
    assert parts == [
        {
            "amount": amount,
            "amount_paid": done,
            "amount_due": left,
            "due_at": f"2099-{day}T09:00:00Z",
        }
        for amount, done, left, day in [
            ("33.34", "33.34", "0.00", "05-31"),
            ("33.33", "6.66", "26.67", "06-30"),
            ("33.33", "0.00", "33.33", "07-31"),
        ]
    ]
    listed = operator.get(f"/invoices/{invoice}/instalments?limit=2").body
    assert (listed["total"], listed["instalments"]) == (3, parts[:2])
    assert operator.delete(f"/invoices/{invoice}/instalments").status == 204
    assert operator.get(f"/invoices/{invoice}").body["instalments"] == []


def test_instalments_are_given_one_way_and_sum_to_what_is_owed(
    operator: Caller, alice: Customer
) -> None:
    invoice = owed(operator, alice, "100")
    part = {"amount": "60.00", "due_at": "2099-05-31T09:00:00Z"}
    for body, code in [
        ({}, "required"),
        ({"count": 3}, "required"),
        ({"instalments": [part], "count": 3}, "required"),
        ({"instalments": [part]}, "invalid_instalments"),
        ({"instalments": []}, "invalid_instalments"),
    ]:
        answer = operator.post(f"/invoices/{invoice}/instalments", body)
        assert answer.status == 400, answer.body
        if code != "required":
            assert answer.code == code
    assert not Invoice.objects.get().instalments.exists()
