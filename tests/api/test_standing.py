"""`/customers/{id}/statement`, `/customers/{id}/status` and `/reports`: what is owed, and why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction

from billing.core.instalments import Part
from billing.core.money import Money
from billing.models import Invoice
from billing.services import instalments, invoices, processing, sealing
from customers.models import Customer
from tests.api.calling import Caller, caller
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def told_once(lasting: None) -> World:
    """She paid April, and her card has been declined since."""
    world = World().at("2026-03-28 09:00")
    alice = world.signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)
    world.at("2026-05-02").adds_card(alice, "tok_declined")
    return world.at("2026-06-03 12:00")


@pytest.fixture
def alice(world: World) -> Customer:
    """Whose story it is."""
    return world.named("alice")


def test_a_statement_leads_from_balance_to_balance(operator: Caller, alice: Customer) -> None:
    answer = operator.get(
        f"/customers/{alice.pk}/statement?from=2026-05-01T00:00:00Z&to=2026-07-01T00:00:00Z"
    )

    april, may = Invoice.objects.order_by("issued_at")
    (statement,) = answer.body["statements"]
    shown = [
        (row["at"], row["kind"], row["amount"], row["balance"], row["document"]["number"])
        for row in statement["entries"]
    ]
    assert statement["opening_balance"] == "0.00"
    assert shown == [
        ("2026-05-01T00:00:00Z", "invoice_finalized", "114.00", "114.00", april.number),
        ("2026-05-01T00:00:00Z", "payment_received", "-114.00", "0.00", ""),
        ("2026-06-01T00:00:00Z", "invoice_finalized", "180.00", "180.00", may.number),
    ]
    assert statement["closing_balance"] == "180.00"
    first = statement["entries"][0]
    assert first["what"] == "Invoice"
    assert first["reason"].startswith("Premium")
    assert first["document"]["id"] == str(april.pk)
    assert operator.get(first["document"]["url"].removeprefix("http://testserver")).status == 200


def test_it_begins_with_the_month_before_and_ends_now(operator: Caller, alice: Customer) -> None:
    body = operator.get(f"/customers/{alice.pk}/statement").body

    assert (body["from"], body["to"]) == ("2026-05-01T00:00:00Z", "2026-06-03T12:00:00Z")


def test_a_currency_that_was_asked_for_is_there(operator: Caller, alice: Customer) -> None:
    (statement,) = operator.get(f"/customers/{alice.pk}/statement?currency=JPY").body["statements"]

    assert statement == {
        "currency": "JPY",
        "opening_balance": "0",
        "entries": [],
        "closing_balance": "0",
    }


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-05-01T00:00:00Z&to=2026-04-01T00:00:00Z",
        "from=2024-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=2026-05-01",
        "currency=XXY",
    ],
)
def test_bad_spans(operator: Caller, alice: Customer, query: str) -> None:
    assert operator.get(f"/customers/{alice.pk}/statement?{query}").status == 400


def test_status_says_what_is_owed_and_what_comes(operator: Caller, alice: Customer) -> None:
    body = operator.get(f"/customers/{alice.pk}/status").body

    assert body == {
        "customer": str(alice.pk),
        "at": "2026-06-03T12:00:00Z",
        "access": {"granted": True, "reason": "grace_period"},
        "owed": [
            {
                "currency": "USD",
                "amount": "180.00",
                "overdue": "0.00",
                "oldest_due_at": "2026-06-15T00:00:00Z",
                "invoices": 1,
            }
        ],
        "next_charge": {
            "at": "2026-07-01T00:00:00Z",
            "amount": "180.00",
            "currency": "USD",
            "period_start": "2026-06-01T00:00:00Z",
            "period_end": "2026-07-01T00:00:00Z",
            "needs_payment_method": False,
        },
    }


def test_what_is_late_is_overdue_and_ends_access(world: World, alice: Customer) -> None:
    world.at("2026-06-20")

    body = caller(alice).get(f"/customers/{alice.pk}/status").body

    assert body["access"] == {"granted": False, "reason": "past_due"}
    assert body["owed"][0]["overdue"] == "180.00"


def test_instalments_are_overdue_each_by_its_own_day(
    operator: Caller, world: World, alice: Customer
) -> None:
    owed = Invoice.objects.get(status="CHARGED_WITH_ERROR")
    parts = [
        Part(Money(80_00, "USD"), datetime(2026, 6, 10, tzinfo=UTC)),
        Part(Money(100_00, "USD"), datetime(2026, 8, 10, tzinfo=UTC)),
    ]
    instalments.agree(owed.pk, parts, by="test", now=world.now)
    world.at("2026-06-20")

    (row,) = operator.get(f"/customers/{alice.pk}/status").body["owed"]
    sealing.seal(now=world.now)
    processing.digest()
    (total,) = operator.get("/reports/ageing").body["totals"]

    assert (row["amount"], row["overdue"]) == ("180.00", "80.00")
    assert row["oldest_due_at"] == "2026-06-10T00:00:00Z"
    assert total["owed"] == "180.00"


def test_nobody_new_owes_anything(operator: Caller, world: World, alice: Customer) -> None:
    bob = world.customer("bob")

    body = operator.get(f"/customers/{bob.pk}/status").body

    assert body["access"] == {"granted": False, "reason": "no_subscription"}
    assert (body["owed"], body["next_charge"]) == ([], None)


def test_reports_are_as_of_what_is_digested(operator: Caller, alice: Customer) -> None:
    assert operator.get("/reports/ageing").body["as_of"] is None
    sealing.seal(now=datetime(2026, 6, 3, 12, tzinfo=UTC))
    processing.digest()

    ageing = operator.get("/reports/ageing").body
    mrr = operator.get("/reports/mrr?from=2026-01&to=2026-06").body

    assert ageing["as_of"] == mrr["as_of"] == "2026-06-03T12:00:00Z"
    assert [row["owed"] for row in ageing["totals"]] == ["180.00"]
    assert [(row["organization_id"], row["owed"]) for row in ageing["customers"]] == [
        ("alice", "180.00")
    ]
    assert ageing["total"] == 1
    assert mrr["months"] == [
        {
            "month": "2026-04",
            "currency": "USD",
            "mrr": "180.00",
            "new": "180.00",
            "expansion": "0.00",
            "contraction": "0.00",
            "churn": "0.00",
            "reactivation": "0.00",
        }
    ]
    assert operator.get("/reports/mrr?from=2026-05").body["months"] == []
    assert operator.get("/reports/mrr?from=2026-13").status == 400


def test_amounts_have_their_currencys_decimals(
    operator: Caller, world: World, alice: Customer
) -> None:
    for currency, amount in (("JPY", "500"), ("KWD", "1.234")):
        draft = world.drafts(alice, amount, currency)
        with transaction.atomic():
            invoices.finalize([draft], now=world.now)

    owed = operator.get(f"/customers/{alice.pk}/status").body["owed"]

    assert [(row["currency"], row["amount"]) for row in owed] == [
        ("JPY", "500"),
        ("KWD", "1.234"),
        ("USD", "180.00"),
    ]
