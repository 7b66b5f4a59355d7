from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.core.invoicing import Item
from billing.services import invoices
from customers.models import Customer
from tests.api.calling import Caller
from tests.api.stage import NOW

pytestmark = pytest.mark.django_db

MORE = {"description": "Travel", "quantity": "120", "unit_amount": "0.42"}


@pytest.fixture
def draft(alice: Customer) -> str:
    items = [Item("Set-up", Decimal(1), Decimal("25.00"))]
    found = invoices.draft(alice.pk, currency="USD", items=items, by="test", now=NOW)
    return f"/invoices/{found.pk}"


def _lines(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(line["description"], line["quantity"], line["amount"]) for line in body["lines"]]


def test_items_are_added_changed_and_removed(operator: Caller, draft: str) -> None:
    added = operator.post(f"{draft}/items", MORE)
    assert added.status == 201
    assert _lines(added.body) == [("Set-up", "1", "25.00"), ("Travel", "120", "50.40")]
    assert (added.body["total"], added.body["version"]) == ("75.40", 2)

    first, second = (line["id"] for line in added.body["lines"])
    changed = operator.patch(f"{draft}/items/{second}", {"quantity": "130"}).body
    assert _lines(changed) == [("Set-up", "1", "25.00"), ("Travel", "130", "54.60")]
    assert [line["id"] for line in changed["lines"]] == [first, second]

    left = operator.delete(f"{draft}/items/{first}").body
    assert _lines(left) == [("Travel", "130", "54.60")]
    assert left["total"] == "54.60"


def test_the_last_item_stays(operator: Caller, draft: str) -> None:
    [line] = operator.get(draft).body["lines"]

    assert operator.delete(f"{draft}/items/{line['id']}").code == "last_item"


def test_a_total_below_nothing_is_refused_and_nothing_changes(operator: Caller, draft: str) -> None:
    answer = operator.post(f"{draft}/items", {**MORE, "unit_amount": "-1"})

    assert (answer.status, answer.code) == (400, "invalid_total")
    assert operator.get(draft).body["version"] == 1


def test_only_what_was_seen_is_edited(operator: Caller, draft: str) -> None:
    operator.post(f"{draft}/items", MORE)

    stale = operator.post(f"{draft}/items", MORE, if_match='"1"')

    assert (stale.status, stale.code) == (412, "version_mismatch")


def test_what_is_finalized_is_not_edited(operator: Caller, draft: str) -> None:
    final = operator.post(f"{draft}/finalize")
    assert (final.status, final.body["status"], final.body["number"]) == (
        200,
        "pending",
        "INV-000001",
    )
    [line] = final.body["lines"]

    assert operator.post(f"{draft}/items", MORE).code == "not_editable"
    assert operator.patch(f"{draft}/items/{line['id']}", {"quantity": "2"}).code == "not_editable"
    assert operator.delete(f"{draft}/items/{line['id']}").code == "not_editable"
    assert operator.post(f"{draft}/finalize").code == "forbidden_transition"


def test_an_invoice_over_nothing_is_paid_when_it_is_finalized(operator: Caller, draft: str) -> None:
    [line] = operator.get(draft).body["lines"]
    operator.patch(f"{draft}/items/{line['id']}", {"unit_amount": "0"})

    assert operator.post(f"{draft}/finalize").body["status"] == "paid"
