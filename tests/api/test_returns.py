"""Credit notes, refunds and disputes over the API."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from billing.core.invoicing import Item
from billing.core.money import Money
from billing.models import Invoice, Refund
from billing.services import incoming, invoices, payment_methods, payments, refunds
from billing.services.incoming import Incoming
from customers.models import Customer
from tests.api.calling import Caller
from tests.builders import LONG_AGO as NOW

pytestmark = pytest.mark.django_db


def owed(customer: Customer, *amounts: str) -> Invoice:
    items = [Item(f"Item {n}", Decimal(2), Decimal(text) / 2) for n, text in enumerate(amounts)]
    draft = invoices.draft(customer.pk, currency="USD", items=items, by="test", now=NOW)
    invoices.issue(draft.pk, now=NOW)
    return Invoice.objects.get(pk=draft.pk)


def paid(customer: Customer, *amounts: str, now: object = None) -> Invoice:
    from billing import clock

    invoice = owed(customer, *amounts)
    payment_methods.add(customer, token="tok_ok", now=NOW, gateway="sandbox", is_default=True)
    for attempt_id in payments.unsent_of(customer.pk):
        payments.collect(attempt_id, now=clock.now() if now is None else NOW)
    return Invoice.objects.get(pk=invoice.pk)


def send() -> None:
    """What the workers do."""
    for pk in Refund.objects.unsent().values_list("pk", flat=True):
        refunds.collect(pk, now=NOW)


def test_a_line_is_credited_in_part(operator: Caller, alice: Customer) -> None:
    invoice = owed(alice, "100.00", "50.00")
    lines = operator.get(f"/invoices/{invoice.pk}").body["lines"]

    answer = operator.post(
        "/credit-notes",
        {
            "invoice": str(invoice.pk),
            "lines": [
                {"line": lines[0]["id"], "amount": "10.00"},
                {"line": lines[1]["id"], "quantity": "1"},
            ],
            "reason": "return",
            "note": "sent back",
        },
    )

    assert answer.status == 201
    body = answer.body
    assert (body["number"], body["reason"], body["note"]) == ("CN-000001", "return", "sent back")
    assert [(line["net"], line["quantity"]) for line in body["lines"]] == [
        ("10.00", None),
        ("25.00", "1"),
    ]
    assert (body["total"], body["to_due"], body["to_credit"], body["to_refund"]) == (
        "35.00",
        "35.00",
        "0.00",
        "0.00",
    )
    assert operator.get(f"/credit-notes/{body['id']}").body == body
    listed = operator.get(f"/credit-notes?invoice={invoice.pk}").body
    assert (listed["total"], listed["credit_notes"]) == (1, [body])
    shown = operator.get(f"/invoices/{invoice.pk}").body
    assert shown["amount_due"] == "115.00"
    assert shown["credit_notes"] == [
        {
            **{name: body[name] for name in ("id", "number", "total", "issued_at")},
            **{name: body[name] for name in ("to_due", "to_credit", "to_refund")},
        }
    ]


def test_an_amount_becomes_credit_where_that_is_asked(operator: Caller, alice: Customer) -> None:
    invoice = paid(alice, "100.00")
    body = {"invoice": str(invoice.pk), "amount": "40.00", "to": "balance"}

    answer = operator.post("/credit-notes", body)

    assert (answer.status, answer.body["to_credit"], answer.body["refunds"]) == (201, "40.00", [])
    listed = operator.get(f"/customers/{alice.pk}/credits").body
    assert listed["credits"][0]["credit_note"] == answer.body["id"]


def test_the_whole_is_refunded(operator: Caller, as_alice: Caller, alice: Customer) -> None:
    invoice = paid(alice, "100.00")

    answer = operator.post("/credit-notes", {"invoice": str(invoice.pk), "to": "refund"})
    send()

    [made] = answer.body["refunds"]
    assert (made["status"], made["amount"], made["gateway"]) == ("created", "100.00", "sandbox")
    assert as_alice.get(f"/refunds/{made['id']}").body["status"] == "succeeded"
    assert as_alice.get(f"/invoices/{invoice.pk}").body["status"] == "refunded"


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"amount": "100.01"}, (409, "above_what_is_left")),
        ({"amount": "0.00"}, (400, "invalid_amount")),
        ({"amount": "0.001"}, (400, "too_many_decimals")),
        ({"amount": "1.00", "lines": [{"line": str(UUID(int=1))}]}, (400, "ambiguous")),
        ({"lines": []}, (400, "empty")),
        ({"lines": [{"line": str(UUID(int=1))}]}, (400, "no_such_line")),
        (
            {"lines": [{"line": str(UUID(int=1)), "amount": "1", "quantity": "1"}]},
            (400, "ambiguous"),
        ),
        ({"to": "moon"}, (400, "invalid_choice")),
    ],
)
def test_what_makes_no_sense_is_refused(
    operator: Caller, alice: Customer, fields: dict[str, object], refusal: tuple[int, str]
) -> None:
    invoice = owed(alice, "100.00")
    answer = operator.post("/credit-notes", {"invoice": str(invoice.pk), **fields})
    assert (answer.status, answer.code) == refusal, answer.body


def test_customers_refund_an_invoice_of_theirs_whole(
    as_alice: Caller, as_charlie: Caller, alice: Customer
) -> None:
    invoice = paid(alice, "100.00")
    body = {"invoice": str(invoice.pk), "reason": "ordered twice"}
    assert as_charlie.post("/refunds", body).status == 404
    assert as_alice.post("/refunds", {**body, "amount": "1.00"}).code == "operator_only"
    by_payment = {"payment": str(invoice.allocations.get().payment_id)}
    assert as_alice.post("/refunds", by_payment).code == "operator_only"

    answer = as_alice.post("/refunds", body)

    assert answer.status == 202
    assert answer.body["refunds"][0]["reason"] == "ordered twice"
    assert as_alice.post("/refunds", body).status == 409
    send()
    assert as_alice.get("/refunds?status=succeeded").body["total"] == 1
    assert as_charlie.get("/refunds").body["total"] == 0


def test_customers_are_too_late_after_a_week(as_alice: Caller, alice: Customer) -> None:
    invoice = paid(alice, "100.00", now=NOW)
    answer = as_alice.patch(f"/invoices/{invoice.pk}", {"status": "refunded"})
    assert (answer.status, answer.code) == (409, "refund_period_over")


def test_an_operator_refunds_a_part_of_a_payment(operator: Caller, alice: Customer) -> None:
    invoice = paid(alice, "100.00")
    body = {"payment": str(invoice.allocations.get().payment_id), "amount": "12.50"}
    answer = operator.post("/refunds", body)
    assert (answer.status, answer.body["refunds"][0]["amount"]) == (202, "12.50")
    assert operator.post("/refunds", {}).status == 400


def test_what_came_by_bank_is_paid_out_by_hand(operator: Caller, alice: Customer) -> None:
    invoice = owed(alice, "100.00")
    incoming.record(alice.pk, Money(10000, "USD"), Incoming("bank_transfer"), by="test", now=NOW)
    answer = operator.post("/refunds", {"invoice": str(invoice.pk)})
    assert answer.status == 201
    [made] = answer.body["refunds"]

    change = {"status": "succeeded", "reference": "BANK-7"}
    done = operator.patch(f"/refunds/{made['id']}", change)

    assert (done.body["status"], done.body["reference"]) == ("succeeded", "BANK-7")
    assert operator.get(f"/invoices/{invoice.pk}").body["status"] == "refunded"


def test_patching_an_invoice_refunds_it(as_alice: Caller, alice: Customer) -> None:
    invoice = paid(alice, "100.00")
    version = as_alice.get(f"/invoices/{invoice.pk}").headers["ETag"]
    stale = as_alice.patch(f"/invoices/{invoice.pk}", {"status": "refunded"}, If_Match='"99"')
    assert stale.status == 412

    answer = as_alice.patch(f"/invoices/{invoice.pk}", {"status": "refunded"}, If_Match=version)

    assert (answer.status, answer.body["status"]) == (200, "paid")
    send()
    assert as_alice.get(f"/invoices/{invoice.pk}").body["status"] == "refunded"


def test_a_customer_contests_and_an_operator_decides(
    operator: Caller, as_alice: Caller, alice: Customer
) -> None:
    invoice = paid(alice, "100.00")
    change = {"status": "in_protest", "reason": "not mine"}

    answer = as_alice.patch(f"/invoices/{invoice.pk}", change)

    assert answer.body["status"] == "in_protest"
    [dispute] = as_alice.get("/disputes?status=open").body["disputes"]
    assert (dispute["source"], dispute["amount"], dispute["reason"]) == (
        "customer",
        "100.00",
        "not mine",
    )
    path = f"/disputes/{dispute['id']}"
    assert as_alice.patch(path, {"status": "lost"}).code == "operator_only"
    assert operator.patch(path, {"status": "lost"}).body["status"] == "lost"
    assert operator.patch(path, {"status": "won"}).status == 409
    send()
    assert as_alice.get(f"/invoices/{invoice.pk}").body["status"] == "chargeback"
    assert as_alice.get("/refunds").body["refunds"][0]["status"] == "succeeded"
    assert as_alice.get(path).body["closed_at"]


def test_a_repetition_credits_once(operator: Caller, alice: Customer) -> None:
    body = {"invoice": str(owed(alice, "100.00").pk), "amount": "10.00"}
    first = operator.post("/credit-notes", body, idempotency_key="k1")
    again = operator.post("/credit-notes", body, idempotency_key="k1")
    assert again.body == first.body
    assert operator.get("/credit-notes").body["total"] == 1
