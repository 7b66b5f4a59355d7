"""`/invoices`."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Invoice, InvoiceLine
from billing.services import payments
from customers.models import Customer
from tests.api.calling import Caller, caller
from tests.api.stage import NOW, set_stage
from tests.world import World

pytestmark = pytest.mark.django_db

UNKNOWN = "0198d5a2-0000-7000-8000-000000000001"


def _draft(who: Customer, /, *items: tuple[str, str, str], **fields: Any) -> dict[str, Any]:
    lines = items or (("Set-up", "1", "250"),)
    return {
        "customer": str(who.pk),
        "currency": "USD",
        "items": [
            {"description": text, "quantity": quantity, "unit_amount": unit_amount}
            for text, quantity, unit_amount in lines
        ],
        **fields,
    }


def test_a_draft(operator: Caller, alice: Customer) -> None:
    answer = operator.post(
        "/invoices", _draft(alice, ("Support", "2.5", "99.999"), ("Rebate", "1", "-0.01"))
    )

    assert answer.status == 201
    body = answer.body
    later = ("number", "payment_reference", "issued_at", "due_at", "paid_at")
    nothing = dict.fromkeys((*later, "subscription", "period_start", "period_end"))
    assert {**body, "lines": []} == {
        **nothing,
        "id": body["id"],
        "status": "draft",
        "purpose": "sale",
        "hold_reason": None,
        "notes": [],
        "customer": str(alice.pk),
        "currency": "USD",
        "lines": [],
        "subtotal": "249.99",
        "discount": "0.00",
        "tax": "0.00",
        "taxes": [
            {
                "category": "O",
                "rate": "0",
                "country": "",
                "region": "",
                "base": "249.99",
                "amount": "0.00",
                "note": "",
            }
        ],
        "total": "249.99",
        "total_excluding_tax": "249.99",
        "amount_paid": "0.00",
        "credit_applied": "0.00",
        "amount_due": "249.99",
        "seller": {},
        "buyer": {},
        "instalments": [],
        "payments": [],
        "credit_notes": [],
        "version": 1,
        "created_at": body["created_at"],
    }


def test_a_line_says_how_its_amount_came_about(operator: Caller, alice: Customer) -> None:
    answer = operator.post(
        "/invoices", _draft(alice, ("Support", "2.5", "99.999"), ("Rebate", "1", "-0.01"))
    )

    body = answer.body
    assert body["lines"][0] == {
        "id": body["lines"][0]["id"],
        "kind": "item",
        "description": "Support",
        "quantity": "2.5",
        "unit_amount": "99.999",
        "amount": "250.00",
        "discount": "0.00",
        "explanation": "2.5 × 99.999 = 250.00 USD",
        "period_start": None,
        "period_end": None,
        "meter": None,
        "component": None,
        "tiers": [],
        "tax": "0.00",
        "tax_rate": "0",
        "tax_category": "O",
        "tax_class": "standard",
        "is_tax_included": False,
        "proration": None,
    }
    assert body["lines"][1]["amount"] == "-0.01"
    assert operator.get(f"/invoices/{body['id']}").body == body


@pytest.mark.parametrize(
    ("currency", "rate", "total"), [("JPY", "33.5", "34"), ("KWD", "0.0005", "0.001")]
)
def test_money_has_the_currencys_decimals(
    *, operator: Caller, alice: Customer, currency: str, rate: str, total: str
) -> None:
    body = operator.post("/invoices", _draft(alice, ("x", "1", rate), currency=currency)).body

    assert body["total"] == total


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"items": []}, "empty", "items"),
        ({"items": [{"description": "x", "quantity": "1"}]}, "required", "items.0.unit_amount"),
        ({"currency": "XXX"}, "unknown_currency", "currency"),
        ({"due_at": "soon"}, "invalid_request", "due_at"),
        ({"number": "INV-1"}, "unknown_field", "number"),
        ({"customer": "alice"}, "invalid_request", "customer"),
    ],
)
def test_bad_drafts(
    *, operator: Caller, alice: Customer, fields: dict[str, Any], code: str, field: str
) -> None:
    answer = operator.post("/invoices", _draft(alice, **fields))

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (("x", "-1", "5"), "negative"),
        (("x", "NaN", "5"), "invalid_request"),
        (("x", "1", "0.0000000000001"), "too_many_decimals"),
        (("x", "1", "-5"), "invalid_total"),
        (("x", "999999999999999", "999999999999999"), "invalid_total"),
        (("", "1", "5"), "blank"),
    ],
)
def test_bad_items(
    operator: Caller, alice: Customer, item: tuple[str, str, str], code: str
) -> None:
    answer = operator.post("/invoices", _draft(alice, item))

    assert (answer.status, answer.code) == (400, code)
    assert Invoice.objects.count() == 0


def test_lines_too_large_to_store_are_refused(operator: Caller, alice: Customer) -> None:
    huge = "999999999999999"

    answer = operator.post("/invoices", _draft(alice, ("x", huge, huge), ("y", huge, f"-{huge}")))

    assert (answer.status, answer.code) == (400, "out_of_range")


def test_a_customer_that_never_was(operator: Caller, alice: Customer) -> None:
    assert operator.post("/invoices", _draft(alice, customer=UNKNOWN)).status == 404


def test_a_finalized_invoice_names_seller_and_buyer(operator: Caller) -> None:
    stage = set_stage()

    body = operator.get(f"/invoices/{stage.invoice.pk}").body

    assert (body["number"], body["status"], body["amount_due"]) == (
        "INV-000001",
        "pending",
        "25.00",
    )
    assert body["payment_reference"] == "RF69INV000001"
    assert body["seller"]["name"] == "Bursar Ltd"
    assert body["buyer"]["name"] == "Alice Liddell"
    assert body["issued_at"] == "2026-04-01T09:00:00Z"
    assert body["due_at"] == "2026-04-15T09:00:00Z"


def test_a_paid_invoice_shows_its_payment(operator: Caller) -> None:
    stage = set_stage()
    attempt = payments.charge(stage.invoice.pk, by="test", now=NOW)
    assert attempt is not None
    payments.collect(attempt.pk, now=NOW)

    body = operator.get(f"/invoices/{stage.invoice.pk}").body

    assert (body["status"], body["amount_paid"], body["amount_due"]) == ("paid", "25.00", "0.00")
    assert body["paid_at"] == "2026-04-01T09:00:00Z"
    assert body["payments"] == [
        {
            "id": body["payments"][0]["id"],
            "gateway": "sandbox",
            "amount": "25.00",
            "currency": "USD",
            "received_at": "2026-04-01T09:00:00Z",
        }
    ]


def test_an_invoice_is_canceled_and_keeps_its_number(operator: Caller) -> None:
    stage = set_stage()
    path = f"/invoices/{stage.invoice.pk}"

    answer = operator.patch(path, {"status": "canceled"})

    assert (answer.status, answer.body["status"]) == (200, "canceled")
    assert (answer.body["number"], answer.body["amount_due"]) == ("INV-000001", "0.00")
    again = operator.patch(path, {"status": "canceled"})
    assert (again.status, again.code) == (409, "forbidden_transition")


def test_only_what_was_seen_is_canceled(operator: Caller) -> None:
    stage = set_stage()
    path = f"/invoices/{stage.invoice.pk}"
    seen = operator.get(path).headers["ETag"]
    Invoice.objects.update(version=7)

    late = operator.patch(path, {"status": "canceled"}, if_match=seen)

    assert (late.status, late.code) == (412, "version_mismatch")
    assert operator.patch(path, {"status": "canceled"}, if_match='"7"').status == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"status": "paid"}, "invalid_choice"),
        ({}, "required"),
        ({"status": "canceled", "total": "1"}, "unknown_field"),
    ],
)
def test_steps_that_are_not_there(operator: Caller, body: dict[str, str], code: str) -> None:
    stage = set_stage()

    answer = operator.patch(f"/invoices/{stage.invoice.pk}", body)

    assert (answer.status, answer.code) == (400, code)


def test_a_customer_reads_and_does_not_cancel(operator: Caller) -> None:
    stage = set_stage()
    as_alice = caller(stage.alice)

    assert as_alice.get(f"/invoices/{stage.invoice.pk}").status == 200
    refused = as_alice.patch(f"/invoices/{stage.invoice.pk}", {"status": "canceled"})
    assert (refused.status, refused.code) == (403, "operator_only")


def test_invoices_are_listed_newest_first_and_by_filter(operator: Caller) -> None:
    stage = set_stage()
    newer = operator.post("/invoices", _draft(stage.alice)).body["id"]
    other = operator.post("/invoices", _draft(stage.bob)).body["id"]
    numbered = str(stage.invoice.pk)

    assert _listed(operator, f"customer={stage.alice.pk}") == [newer, numbered]
    assert _listed(operator, f"customer={stage.bob.pk}") == [other]
    assert _listed(operator, "status=pending") == [numbered]
    assert _listed(operator, f"subscription={stage.subscription.pk}") == []
    assert operator.get("/invoices?status=open").code == "invalid_choice"


def test_a_list_costs_the_same_for_many(
    operator: Caller, world: World, django_assert_num_queries: Any
) -> None:
    world.at("2026-03-28 09:00")
    for name in ("alice", "bob", "charlie"):
        customer = world.signs_up(name, "Premium")
        world.adds_card(customer)
    world.at("2026-06-01 00:00")
    assert InvoiceLine.objects.count() == 12
    operator.get("/plans")  # the token is noted as used, once a minute

    # Token, count, invoices, lines, payments, credit notes, what is owed, what credit paid of it,
    # instalments.
    with django_assert_num_queries(9):
        body = operator.get("/invoices?limit=100").body

    assert body["total"] == 6


def _listed(operator: Caller, query: str) -> list[str]:
    return [row["id"] for row in operator.get(f"/invoices?{query}").body["invoices"]]
