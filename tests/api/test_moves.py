"""`POST /plans/{id}/moves`."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Invoice, ScheduledChange, Subscription
from billing.services import payment_methods, subscriptions, test_clocks
from customers.models import Customer
from plans.models import Plan
from plans.terms import Billed
from tests import builders
from tests.api.calling import Answer, Caller
from tests.api.stage import NOW
from tests.terms import seed_terms

pytestmark = pytest.mark.django_db

MAY = "2026-05-01T09:00:00Z"


@pytest.fixture
def plan(operator: Caller) -> Plan:
    """Pro, at 10.00 a month in advance, and at 12.00 since a moment ago."""
    terms = {"currency": "USD", "amount": "10.00", "billed": "in_advance"}
    return Plan.objects.get(pk=operator.post("/plans", {"name": "Pro", **terms}).body["id"])


@pytest.fixture
def subscription(plan: Plan, operator: Caller) -> Subscription:
    """Alice's, on the first version; there is a second."""
    found = _subscribed("alice", plan)
    operator.patch(f"/plans/{plan.pk}", {"amount": "12.00"})
    return found


def _subscribed(name: str, plan: Plan) -> Subscription:
    clock = test_clocks.create(now=NOW)
    customer = builders.make_customer(name, now=NOW, test_clock=clock)
    payment_methods.add(
        customer, token="tok_ok", now=NOW, gateway=builders.sandbox(), is_default=True
    )
    return subscriptions.start(customer.pk, plan, by="test", now=NOW)


def _move(operator: Caller, plan: Plan, **body: Any) -> Answer:
    return operator.post(f"/plans/{plan.pk}/moves", body)


def test_a_dry_run_tells_the_effect_and_writes_nothing(
    operator: Caller, plan: Plan, subscription: Subscription
) -> None:
    answer = _move(operator, plan, when="period_end", dry_run=True)

    assert answer.status == 200
    assert answer.body == {
        "dry_run": True,
        "plan": {"id": str(plan.pk), "name": "Pro", "version": 2},
        "subscriptions": 1,
        "scheduled": 1,
        "refused": [],
        "effect": {"USD": {"now": "10.00", "then": "12.00"}},
    }
    assert "ETag" not in answer.headers
    assert not ScheduledChange.objects.exists()


def test_subscribers_are_moved_at_their_renewal(
    operator: Caller, plan: Plan, subscription: Subscription
) -> None:
    answer = _move(operator, plan)

    assert (answer.status, answer.body["dry_run"], answer.body["scheduled"]) == (200, False, 1)
    assert answer.body["effect"] == {"USD": {"now": "10.00", "then": "12.00"}}
    shown = operator.get(f"/subscriptions/{subscription.pk}/changes").body
    (change,) = shown["changes"]
    assert change["plan"] == {"id": str(plan.pk), "name": "Pro", "version": 2}
    assert (change["due_at"], change["is_at_period_end"]) == (MAY, True)
    assert change["created_by"].startswith("test (bsr_")


def test_again_moves_nobody(operator: Caller, plan: Plan, subscription: Subscription) -> None:
    _move(operator, plan)

    again = _move(operator, plan)

    assert (again.body["subscriptions"], again.body["effect"]) == (0, {})
    assert ScheduledChange.objects.count() == 1


def test_an_idempotency_key_gets_the_stored_answer(
    operator: Caller, plan: Plan, subscription: Subscription
) -> None:
    first = operator.post(f"/plans/{plan.pk}/moves", {}, idempotency_key="k1")
    again = operator.post(f"/plans/{plan.pk}/moves", {}, idempotency_key="k1")

    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"


def test_now_and_without_proration(
    operator: Caller, plan: Plan, subscription: Subscription
) -> None:
    answer = _move(operator, plan, when="now", charge="none")

    subscription.refresh_from_db()
    assert answer.body["scheduled"] == 1
    assert subscription.plan_version_id == Plan.objects.get(pk=plan.pk).current_id
    assert Invoice.objects.count() == 1


def test_who_is_refused_is_told_with_the_conflicts(
    operator: Caller, plan: Plan, subscription: Subscription
) -> None:
    bob = builders.make_customer("bob", now=NOW)
    other = builders.make_plan("Other", seed_terms("5", "0", "0", billed=Billed.IN_ARREARS))
    stranger = subscriptions.start(bob.pk, other, by="test", now=NOW)
    operator.post(f"/subscriptions/{subscription.pk}/cancel", {"when": "period_end"})

    dry, answer = (
        _move(operator, plan, subscriptions=[str(subscription.pk), str(stranger.pk)], dry_run=dry)
        for dry in (True, False)
    )

    assert answer.body["refused"] == dry.body["refused"]
    assert (answer.body["subscriptions"], answer.body["scheduled"]) == (2, 0)
    assert answer.body["effect"] == {}
    told = {row["subscription"]: row["conflicts"] for row in answer.body["refused"]}
    assert told[str(stranger.pk)] == [
        {
            "code": "not_on_plan",
            "detail": "It is no live subscription of the plan.",
            "due_at": None,
            "change": None,
        }
    ]
    (conflict,) = told[str(subscription.pk)]
    assert (conflict["code"], conflict["due_at"]) == ("same_instant", MAY)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"subscriptions": []}, "subscriptions"),
        ({"subscriptions": ["alice"]}, "subscriptions.0"),
        ({"when": "tomorrow"}, "when"),
        ({"charge": "double"}, "charge"),
        ({"dry_run": "yes"}, "dry_run"),
        ({"everybody": True}, "everybody"),
    ],
)
def test_what_makes_no_sense_is_refused(
    operator: Caller, plan: Plan, body: dict[str, Any], field: str
) -> None:
    answer = _move(operator, plan, **body)

    assert answer.status == 400
    assert field in answer.body["errors"]


def test_customers_move_nobody(as_alice: Caller, alice: Customer, plan: Plan) -> None:
    answer = as_alice.post(f"/plans/{plan.pk}/moves", {})

    assert (answer.status, answer.code) == (403, "operator_only")
