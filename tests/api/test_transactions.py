"""`/transactions`: everything that moved money, by every filter, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Invoice, PaymentAttempt
from customers.models import Customer
from tests.api.calling import Caller, caller
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def told_once(lasting: None) -> World:
    """She paid April; May is declined and declined."""
    world = World().at("2026-03-28 09:00")
    alice = world.signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)
    world.at("2026-05-02").adds_card(alice, "tok_declined")
    return world.at("2026-06-03 12:00")


@pytest.fixture
def alice(world: World) -> Customer:
    """Whose story it is."""
    return world.named("alice")


def listed(who: Caller, query: str = "") -> list[dict[str, Any]]:
    """The transactions of a query."""
    found: list[dict[str, Any]] = who.get(f"/transactions?{query}").body["transactions"]
    return found


def test_charges_with_what_came_of_them_newest_first(operator: Caller, alice: Customer) -> None:
    rows = listed(operator)

    paid = PaymentAttempt.objects.get(status="SUCCEEDED")
    assert [(row["kind"], row["amount"], row["status"]) for row in rows] == [
        ("charge", "180.00", "failed"),
        ("charge", "180.00", "failed"),
        ("charge", "114.00", "succeeded"),
    ]
    assert rows[-1] == {
        "id": str(paid.pk),
        "kind": "charge",
        "customer": str(alice.pk),
        "at": "2026-05-01T00:00:00Z",
        "amount": "114.00",
        "currency": "USD",
        "status": "succeeded",
        "gateway": "sandbox",
        "reason": "",
        "invoices": [str(paid.invoice_id)],
    }
    assert rows[0]["reason"] == "The card was declined."


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=failed", 2),
        ("status=won", 0),
        ("status=action_required", 0),
        ("status=abandoned", 0),
        ("kind=charge", 3),
        ("kind=refund", 0),
        ("kind=credit_note", 0),
        ("gateway=sandbox", 3),
        ("gateway=stripe", 0),
        ("min_amount=114", 3),
        ("min_amount=114.01", 2),
        ("max_amount=114.00", 1),
        ("min_amount=115&max_amount=179.99", 0),
        ("from=2026-05-01T00:00:00Z&to=2026-05-01T00:00:01Z", 1),
        ("from=2026-06-01T00:00:00Z", 2),
        ("item=premium", 3),
        ("item=100%25", 0),
        ("item=gold", 0),
        ("status=failed&kind=charge&min_amount=1&gateway=sandbox", 2),
    ],
)
def test_filters(operator: Caller, alice: Customer, query: str, count: int) -> None:
    assert len(listed(operator, query)) == count


def test_the_other_kinds_are_there_too(operator: Caller, world: World, alice: Customer) -> None:
    paid = Invoice.objects.get(status="PAID")
    customer = {"customer": str(alice.pk), "currency": "USD"}
    answers = [
        operator.post("/refunds", {"invoice": str(paid.pk), "amount": "14.00", "reason": "late"}),
        operator.post(f"/customers/{alice.pk}/credits", {"amount": "5.00", "currency": "USD"}),
        operator.post(
            "/payments",
            {**customer, "amount": "7.00", "reference": "wire 1",
             "received_at": "2026-06-03T10:00:00Z", "invoices": []},
        ),
    ]  # fmt: skip
    assert {answer.status for answer in answers} <= {201, 202}

    kinds = {row["kind"]: row for row in listed(operator, "limit=100")}

    assert set(kinds) >= {"charge", "payment", "refund", "credit", "credit_note"}
    assert kinds["refund"]["invoices"] == [str(paid.pk)]
    assert kinds["payment"]["reason"] == "wire 1"
    assert kinds["refund"]["gateway"] == "sandbox"
    assert kinds["payment"]["gateway"] == "bank_transfer"
    assert kinds["credit"]["gateway"] is None
    by_transfer = listed(operator, "gateway=bank_transfer")
    assert [(row["kind"], row["amount"]) for row in by_transfer] == [
        ("credit", "7.00"),
        ("payment", "7.00"),
    ]
    assert {row["kind"] for row in listed(operator, "gateway=sandbox")} == {"charge", "refund"}


def test_pages_go_on_where_the_one_before_ended(operator: Caller, alice: Customer) -> None:
    whole = [row["id"] for row in listed(operator)]
    first = operator.get("/transactions?limit=2").body
    second = operator.get(first["next"].partition("testserver")[2]).body
    back = operator.get(second["previous"].partition("testserver")[2]).body

    assert [row["id"] for row in first["transactions"]] == whole[:2]
    assert [row["id"] for row in second["transactions"]] == whole[2:]
    assert [row["id"] for row in back["transactions"]] == whole[:2]
    assert (first["previous"], second["next"]) == (None, None)


def test_a_customers_token_sees_their_own(world: World, alice: Customer) -> None:
    bob = world.customer("bob")

    assert len(listed(caller(alice))) == 3
    assert listed(caller(bob)) == []
    assert caller(bob).get(f"/transactions?customer={alice.pk}").status == 404


@pytest.mark.parametrize("query", ["min_amount=x", "kind=gift", "status=lovely", "from=may"])
def test_bad_filters(operator: Caller, query: str) -> None:
    assert operator.get(f"/transactions?{query}").status == 400
