"""`/journal`."""

from __future__ import annotations

import pytest

from billing.services import sealing
from tests.api.calling import Caller
from tests.api.stage import NOW, Stage

pytestmark = pytest.mark.django_db


def test_an_entry_with_its_postings(operator: Caller, stage: Stage) -> None:
    (entry,) = operator.get("/journal?kind=invoice_finalized").body["journal"]

    common = {"amount": "25.00", "currency": "USD", "invoice": str(stage.invoice.pk)}
    assert entry == {
        "id": entry["id"],
        "kind": "invoice_finalized",
        "customer": str(stage.alice.pk),
        "occurred_at": "2026-04-01T09:00:00Z",
        "recorded_at": entry["recorded_at"],
        "context": {
            "number": "INV-000001",
            "subscription": None,
            "purpose": "SALE",
            "subtotal": "25.00 USD",
            "discount": "0.00 USD",
            "tax": "0.00 USD",
            "total": "25.00 USD",
            "due_at": "2026-04-15T09:00:00+00:00",
            "period_start": None,
            "period_end": None,
            "lines": [{"description": "Set-up", "amount": "25.00 USD"}],
        },
        "lines": [
            {"account": "receivables", "side": "debit", **common},
            {"account": "revenue:items", "side": "credit", **common},
        ],
        "source": {"kind": "invoice", "id": str(stage.invoice.pk)},
        "seal": None,
    }


def test_a_sealed_entry_says_which_block_binds_it(operator: Caller, stage: Stage) -> None:
    sealing.seal(now=NOW)

    entries = operator.get("/journal").body["journal"]

    assert {entry["seal"]["block"] for entry in entries} == {1}
    assert sorted(entry["seal"]["position"] for entry in entries) == [1, 2, 3, 4, 5, 6, 7]
    assert all(len(entry["seal"]["digest"]) == 64 for entry in entries)


def test_the_newest_comes_first(operator: Caller, stage: Stage) -> None:
    kinds = [entry["kind"] for entry in operator.get("/journal").body["journal"]]

    assert kinds[0] == "invoice_finalized"
    assert kinds[-1] == "subscription_started"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("from=2026-04-01T09:00:00Z", 7),
        ("to=2026-04-01T09:00:00Z", 0),
        ("from=2026-04-01T09:00:01Z", 0),
        ("kind=payment_method_added", 3),
        ("kind=unheard_of", 0),
    ],
)
def test_filters(operator: Caller, stage: Stage, query: str, count: int) -> None:
    assert len(operator.get(f"/journal?{query}").body["journal"]) == count


def test_of_one_customer(operator: Caller, stage: Stage) -> None:
    assert operator.get(f"/journal?customer={stage.bob.pk}").body["journal"] == []
    assert len(operator.get(f"/journal?customer={stage.alice.pk}").body["journal"]) == 7


@pytest.mark.parametrize("query", ["from=2026-04-01", "kind=a-b", "customer=alice", "limit=0"])
def test_bad_filters(operator: Caller, query: str) -> None:
    answer = operator.get(f"/journal?{query}")

    assert answer.status == 400
    assert list(answer.body["errors"]) == [query.partition("=")[0]]


def test_it_names_no_person(operator: Caller, stage: Stage) -> None:
    text = str(operator.get("/journal?limit=100").body)

    for private in ("Liddell", "alice@example.org", "Rabbit Hole", "7946 0999"):
        assert private not in text
