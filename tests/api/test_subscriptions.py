"""`/subscriptions`."""

from __future__ import annotations

from typing import Any

import pytest

from customers.models import Customer
from plans.models import Plan
from tests import builders
from tests.api.calling import Caller, caller
from tests.api.stage import NOW, Stage, set_stage
from tests.terms import seed_terms

pytestmark = pytest.mark.django_db

UNKNOWN = "0198d5a2-0000-7000-8000-000000000001"


@pytest.fixture
def plan(db: None) -> Plan:
    """Premium, with a trial of 14 days."""
    return builders.make_plan()


def _body(who: Customer, plan: Plan, /, **fields: Any) -> dict[str, Any]:
    return {"customer": str(who.pk), "plan_id": str(plan.pk), **fields}


def test_a_trial_begins(operator: Caller, plan: Plan) -> None:
    stage_clock = operator.post("/test-clocks", {"now": "2026-03-28T09:00:00Z"}).body
    made = operator.post(
        "/customers", {"organization_id": "alice", "test_clock": stage_clock["id"]}
    ).body

    answer = operator.post("/subscriptions", {"customer": made["id"], "plan_id": str(plan.pk)})

    assert answer.status == 201
    assert answer.body == {
        "id": answer.body["id"],
        "customer": made["id"],
        "plan": {"id": str(plan.pk), "name": "Premium", "version": 1},
        "status": "trialing",
        "quantity": "1",
        "trial_start": "2026-03-28T09:00:00Z",
        "trial_end": "2026-04-11T09:00:00Z",
        "billing_anchor": None,
        "current_period_start": "2026-03-28T09:00:00Z",
        "current_period_end": "2026-04-11T09:00:00Z",
        "cancel_at": None,
        "canceled_at": None,
        "billed_by": "engine",
        "sub_id": "",
        "scheduled_changes": [],
        "coupons": [],
        "version": 1,
        "created_at": "2026-03-28T09:00:00Z",
    }
    assert operator.get(f"/subscriptions/{answer.body['id']}").body == answer.body


def test_without_a_trial_it_waits_for_a_card(operator: Caller, plan: Plan, alice: Customer) -> None:
    seats = builders.make_plan("Seats", seed_terms("9", "1", "1", quantity_unit="seat"))
    body = operator.post("/subscriptions", _body(alice, seats, trial_days=0, quantity="3")).body

    assert (body["status"], body["quantity"]) == ("incomplete", "3")
    assert body["current_period_start"] is None


def test_a_customer_subscribes_but_sets_no_trial(plan: Plan, alice: Customer) -> None:
    as_alice = caller(alice)

    refused = as_alice.post("/subscriptions", _body(alice, plan, trial_days=3650))
    taken = as_alice.post("/subscriptions", _body(alice, plan))

    assert (refused.status, refused.code) == (403, "operator_only")
    assert (taken.status, taken.body["status"]) == (201, "trialing")


def test_one_at_a_time(operator: Caller, plan: Plan, alice: Customer) -> None:
    operator.post("/subscriptions", _body(alice, plan))

    again = operator.post("/subscriptions", _body(alice, plan))

    assert (again.status, again.code) == (409, "already_subscribed")


def test_what_is_unknown_is_not_found(operator: Caller, plan: Plan, alice: Customer) -> None:
    for body in (_body(alice, plan, plan_id=UNKNOWN), _body(alice, plan, customer=UNKNOWN)):
        answer = operator.post("/subscriptions", body)
        assert (answer.status, answer.code) == (404, "not_found")


def test_a_plan_that_is_for_others(operator: Caller, alice: Customer) -> None:
    terms = seed_terms("1", "1", "1")
    theirs = builders.make_plan("Theirs", terms, is_public=False, allowed_organizations=["bob"])

    refused = operator.post("/subscriptions", _body(alice, theirs))

    assert (refused.status, refused.code) == (400, "plan_not_on_sale")
    assert caller(alice).post("/subscriptions", _body(alice, theirs)).status == 404


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"customer": "alice"}, "invalid_request", "customer"),
        ({"plan_id": None}, "null", "plan_id"),
        ({"quantity": 0}, "min_value", "quantity"),
        ({"quantity": "1.5"}, "invalid_request", "quantity"),
        ({"quantity": 1_000_001}, "max_value", "quantity"),
        ({"trial_days": -1}, "min_value", "trial_days"),
        ({"coupon": 5}, "invalid_request", "coupon"),
        ({"starts_at": "tomorrow"}, "invalid_request", "starts_at"),
        ({"starts_at": "2026-01-01T00:00:00Z"}, "starts_in_the_past", "starts_at"),
        ({"plan": "Premium"}, "unknown_field", "plan"),
    ],
)
def test_bad_subscriptions(
    *,
    operator: Caller,
    plan: Plan,
    alice: Customer,
    fields: dict[str, Any],
    code: str,
    field: str,
) -> None:
    answer = operator.post("/subscriptions", {**_body(alice, plan), **fields})

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]


def test_subscriptions_are_listed_by_customer_and_status(operator: Caller) -> None:
    stage = set_stage()
    operator.post("/subscriptions", _body(stage.bob, stage.plan))

    assert operator.get("/subscriptions").body["total"] == 2
    assert _listed(operator, f"customer={stage.alice.pk}") == [str(stage.alice.pk)]
    assert len(_listed(operator, "status=trialing")) == 2
    assert _listed(operator, "status=active") == []
    assert operator.get("/subscriptions?status=gone").code == "invalid_choice"
    assert operator.get("/subscriptions?customer=alice").status == 400
    assert operator.get(f"/subscriptions?customer={UNKNOWN}").status == 404


def test_a_list_costs_the_same_for_many(operator: Caller, django_assert_num_queries: Any) -> None:
    stage: Stage = set_stage()
    for number in range(5):
        other = builders.make_customer(f"c{number}", now=NOW)
        operator.post("/subscriptions", _body(other, stage.plan))

    with django_assert_num_queries(6):  # token, count, rows, periods, changes, coupons
        operator.get("/subscriptions?limit=100")


def _listed(operator: Caller, query: str) -> list[str]:
    rows = operator.get(f"/subscriptions?{query}").body["subscriptions"]
    return [row["customer"] for row in rows]
