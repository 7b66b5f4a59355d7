"""`/billing/plans`: the catalogue of `/api/v1` in the contract's notation."""

from __future__ import annotations

from typing import Any, Final

import pytest

from billing.models import Subscription
from billing.services import subscriptions
from customers.models import Customer
from plans.models import Plan
from tests.api.calling import Caller
from tests.api.stage import NOW

pytestmark = pytest.mark.django_db

PLAN2: Final[dict[str, Any]] = {
    "name": "Plan2",
    "pa_plan_id": "prod_QEMhQtqmTEiJsl",
    "amount": "5",
    "currency": "EUR",
    "limits": {"MaxComputations": "13"},
    "metadata": {"weight": 0.5},
    "public_plan": True,
    "allowed_organizations": None,
    "disable": False,
}


def test_a_plan_is_answered_as_it_was_sent(operator: Caller) -> None:
    answer = operator.post("/billing/plans", PLAN2)

    assert answer.status == 201
    assert answer.body == {
        **PLAN2,
        "id": answer.body["id"],
        "created_by": answer.body["created_by"],
        "created_at": answer.body["created_at"],
        "updated_at": "0001-01-01T00:00:00Z",
        "updated_by": "",
    }
    assert answer.body["created_by"].startswith("test (bsr_")


def test_a_month_is_billed_in_advance_from_the_day_on_which_it_begins(operator: Caller) -> None:
    made = operator.post("/billing/plans", {**PLAN2, "description": "For two."}).body

    plan = operator.get(f"/plans/{made['id']}").body
    assert (plan["billed"], plan["alignment"]) == ("in_advance", "anniversary")
    assert (plan["interval"], plan["interval_count"]) == ("month", 1)
    assert (plan["amount"], plan["description"]) == ("5.00", "For two.")
    yearly = operator.post("/billing/plans", {**PLAN2, "interval": "year"}).body
    assert operator.get(f"/plans/{yearly['id']}").body["interval"] == "year"


@pytest.mark.parametrize(
    ("currency", "sent", "shown"),
    [
        ("EUR", "12.50", "12.5"),
        ("EUR", 12.5, "12.5"),
        ("EUR", "100", "100"),
        ("JPY", 500, "500"),
        ("KWD", "1.230", "1.23"),
    ],
)
def test_amounts_are_plain(operator: Caller, currency: str, sent: Any, shown: str) -> None:
    answer = operator.post("/billing/plans", {**PLAN2, "currency": currency, "amount": sent})

    assert answer.body["amount"] == shown


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"amount": "5.001"}, "too_many_decimals", "amount"),
        ({"amount": "-5"}, "negative", "amount"),
        ({"currency": "eur"}, "unknown_currency", "currency"),
        ({"name": ""}, "blank", "name"),
        ({"limits": {"MaxComputations": []}}, "invalid_request", "limits"),
        ({"interval": "decade"}, "invalid_choice", "interval"),
        ({"tier": 4}, "unknown_field", "tier"),
        ({"id": "me"}, "unknown_field", "id"),
    ],
)
def test_bad_plans(operator: Caller, changes: dict[str, Any], code: str, field: str) -> None:
    answer = operator.post("/billing/plans", {**PLAN2, **changes})

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]
    assert Plan.objects.count() == 0


def test_a_plan_of_either_face_stands_in_both(operator: Caller) -> None:
    here = operator.post("/billing/plans", PLAN2).body
    there = operator.post("/plans", {"name": "Other", "currency": "EUR", "amount": "7.50"}).body

    plans = operator.get("/billing/plans").body["plans"]

    assert [plan["id"] for plan in plans] == [here["id"], there["id"]]
    assert plans[1]["amount"] == "7.5"
    assert {plan["id"] for plan in operator.get("/plans").body["plans"]} == {
        here["id"],
        there["id"],
    }


def test_ten_at_a_time_and_the_oldest_first(operator: Caller) -> None:
    names = [f"Plan{number}" for number in range(12)]
    for name in reversed(names):
        operator.post("/billing/plans", {**PLAN2, "name": name})

    first = operator.get("/billing/plans").body
    second = operator.get("/billing/plans?limit=5&offset=10").body

    assert list(first) == ["total", "limit", "offset", "plans"]
    assert (first["total"], first["limit"], first["offset"]) == (12, 10, 0)
    assert [plan["name"] for plan in first["plans"]] == names[:1:-1]
    assert [plan["name"] for plan in second["plans"]] == ["Plan1", "Plan0"]
    assert operator.get("/billing/plans?page=2").code == "unknown_field"


def test_a_customer_sees_what_they_may_subscribe_to(
    operator: Caller, as_alice: Caller, as_charlie: Caller
) -> None:
    theirs = {"public_plan": False, "allowed_organizations": ["alice", "bob"]}
    operator.post("/billing/plans", PLAN2)
    operator.post("/billing/plans", {**PLAN2, "name": "For Alice", **theirs})
    operator.post("/billing/plans", {**PLAN2, "name": "Off", "disable": True})

    seen = as_alice.get("/billing/plans").body["plans"]

    assert [plan["name"] for plan in seen] == ["Plan2", "For Alice"]
    assert [plan["allowed_organizations"] for plan in seen] == [None, ["alice"]]
    assert {(plan["created_by"], str(plan["metadata"])) for plan in seen} == {("", "{}")}
    assert [p["name"] for p in as_charlie.get("/billing/plans").body["plans"]] == ["Plan2"]
    assert operator.get("/billing/plans").body["total"] == 3


def test_other_terms_make_another_version_and_leave_subscribers_alone(
    operator: Caller, alice: Customer
) -> None:
    made = operator.post("/billing/plans", PLAN2).body
    plan = Plan.objects.readable().get(pk=made["id"])
    subscriptions.start(alice.pk, plan, by="test", now=NOW)

    changed = operator.patch(f"/billing/plans/{made['id']}", {"amount": "6", "name": "Plan3"})

    assert changed.status == 200
    assert changed.body == {
        **made,
        "amount": "6",
        "name": "Plan3",
        "updated_at": changed.body["updated_at"],
        "updated_by": made["created_by"],
    }
    assert changed.body["updated_at"] > made["created_at"]
    assert operator.get(f"/plans/{made['id']}").body["version"] == 2
    assert Subscription.objects.get().plan_terms.amount == 5
    theirs = operator.get(f"/billing/organization/{alice.pk}").body
    assert (theirs["plan"]["amount"], theirs["plan"]["name"]) == ("5", "Plan2")


def test_a_listing_is_changed_without_another_version(operator: Caller) -> None:
    made = operator.post("/billing/plans", PLAN2).body

    answer = operator.patch(f"/billing/plans/{made['id']}", {"disable": True})

    assert answer.body["disable"] is True
    assert operator.get(f"/plans/{made['id']}").body["version"] == 1


def test_a_retired_plan_is_gone_from_every_list(operator: Caller, as_alice: Caller) -> None:
    made = operator.post("/billing/plans", PLAN2).body
    address = f"/billing/plans/{made['id']}"
    assert as_alice.get("/billing/plans").body["total"] == 1

    assert operator.delete(address).status == 204

    assert as_alice.get("/billing/plans").body["plans"] == []
    assert operator.get("/billing/plans").body["plans"] == []
    assert operator.delete(address).status == 204
    late = operator.patch(address, {"amount": "6"})
    assert (late.status, late.code) == (409, "plan_retired")
    assert operator.get(f"/plans/{made['id']}").status == 200


def test_a_repetition_makes_no_second_plan(operator: Caller) -> None:
    first = operator.post("/billing/plans", PLAN2, idempotency_key="k1")
    again = operator.post("/billing/plans", PLAN2, idempotency_key="k1")

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/json"
    assert Plan.objects.count() == 1
