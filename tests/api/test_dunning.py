"""`/dunning-policies`, `/dunning-runs` and `/customers/{id}/billing-profile`."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import DunningRun, Seller
from customers.models import Customer
from tests import builders
from tests.api.calling import Caller, caller
from tests.services.dunned import made, run_of, subscriber
from tests.world import World

pytestmark = pytest.mark.django_db

MISSING = "0198d5a2-0000-7000-8000-000000000001"
POLICY = {
    "name": "strict",
    "retry_after_days": [2, 4],
    "grace_days": 5,
    "notices": [{"after_days": 0, "subject": "{number}", "text": "Pay {amount}.\n"}],
    "final_act": "write_off",
    "final_after_days": 10,
    "is_default": True,
}


@pytest.fixture
def late(world: World) -> Customer:
    """Alice, whose card was declined for good on 1 May."""
    made()
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-02")
    return alice


def test_a_policy_is_answered_as_it_was_sent(operator: Caller) -> None:
    plan = builders.make_plan()
    sent = {**POLICY, "plans": [str(plan.pk)]}

    answer = operator.post("/dunning-policies", sent)

    assert answer.status == 201
    assert answer.body == {**sent, "id": answer.body["id"], "version": 1}
    assert operator.get(f"/dunning-policies/{answer.body['id']}").body == answer.body
    assert operator.get("/dunning-policies").body["dunning_policies"] == [answer.body]


def test_what_is_left_out_is_usual_and_what_is_not_named_stays(operator: Caller) -> None:
    made_ = operator.post("/dunning-policies", {"name": "usual"}).body
    assert made_ == {
        "id": made_["id"],
        "name": "usual",
        "retry_after_days": [1, 3, 5, 7],
        "grace_days": 7,
        "notices": [],
        "final_act": "nothing",
        "final_after_days": 30,
        "is_default": False,
        "plans": [],
        "version": 1,
    }

    changed = operator.patch(f"/dunning-policies/{made_['id']}", {"retry_after_days": []}).body

    assert changed == {**made_, "retry_after_days": [], "version": 2}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"retry_after_days": [0]}, "retry_after_days"),
        ({"retry_after_days": ["x"]}, "retry_after_days"),
        ({"grace_days": 400}, "grace_days"),
        ({"final_act": "shout"}, "final_act"),
        ({"notices": [{"after_days": 0, "subject": "{name}", "text": "x"}]}, "notices"),
        ({"notices": [{"after_days": 11, "subject": "a", "text": "x"}]}, "notices"),
        ({"notices": [{"after_days": 1, "subject": "a", "text": "x", "to": "y"}]}, "notices"),
        ({"plans": [MISSING]}, "plans"),
        ({"tone": "harsh"}, "tone"),
    ],
)
def test_what_makes_no_sense_is_refused(
    operator: Caller, fields: dict[str, Any], field: str
) -> None:
    answer = operator.post("/dunning-policies", {**POLICY, **fields})
    assert answer.status == 400
    assert field in "".join(answer.body["errors"])


def test_a_name_is_taken_once(operator: Caller) -> None:
    operator.post("/dunning-policies", POLICY)
    answer = operator.post("/dunning-policies", POLICY)
    assert (answer.status, answer.code) == (409, "name_taken")


def test_a_run_says_what_was_done_and_what_comes(operator: Caller, late: Customer) -> None:
    run = run_of(late)

    (shown,) = operator.get(f"/dunning-runs?customer={late.pk}").body["dunning_runs"]

    assert shown == operator.get(f"/dunning-runs/{run.pk}").body
    assert shown["terms"] == {**run.terms, "final_act": "cancel"}
    (notice,) = shown["notices"]
    assert notice["subject"] == f"Invoice {run.invoice.number} is not paid"
    assert {name: shown[name] for name in ("reason", "status", "started_at", "due_at")} == {
        "reason": "declined",
        "status": "running",
        "started_at": "2026-05-01T00:00:00Z",
        "due_at": "2026-05-08T00:00:00Z",
    }
    assert (shown["next_charge_at"], shown["ended_at"], shown["note"]) == (None, None, "")


def test_runs_are_found_by_invoice_and_status(operator: Caller, late: Customer) -> None:
    run = run_of(late)
    for query, total in (
        (f"invoice={run.invoice_id}", 1),
        (f"invoice={MISSING}", 0),
        ("status=running", 1),
        ("status=stopped", 0),
    ):
        assert operator.get(f"/dunning-runs?{query}").body["total"] == total
    assert operator.get(f"/dunning-runs?customer={MISSING}").status == 404


def test_a_run_is_stopped_and_goes_on(operator: Caller, late: Customer, world: World) -> None:
    path = f"/dunning-runs/{run_of(late).pk}"

    stopped = operator.patch(path, {"status": "stopped", "note": "Pays in June."})

    assert (stopped.body["status"], stopped.body["note"]) == ("stopped", "Pays in June.")
    assert stopped.body["ended_by"].startswith("test (bsr_")
    assert operator.patch(path, {"status": "stopped"}).code == "forbidden_transition"
    assert caller(late).get(path).body["note"] == ""
    world.at("2026-05-05")
    assert operator.patch(path, {"status": "running"}).body["due_at"] == "2026-05-11T00:00:00Z"
    assert operator.patch(path, {"status": "exhausted"}).status == 400


def test_a_profile_is_the_usual_until_something_is_agreed(
    operator: Caller, alice: Customer
) -> None:
    path = f"/customers/{alice.pk}/billing-profile"
    usual = {
        "customer": str(alice.pk),
        "seller": None,
        "dunning_policy": None,
        "is_dunned": True,
        "top_up": None,
        "version": 1,
    }
    assert operator.get(path).body == usual
    seller = Seller.objects.create(name="Ours")
    agreed = {
        "seller": str(seller.pk),
        "dunning_policy": str(made()),
        "is_dunned": False,
        "top_up": {"currency": "KWD", "threshold": "1.500", "amount": "20.000"},
    }

    answer = operator.patch(path, agreed, if_match='"1"')

    assert answer.body == {**usual, **agreed, "version": 2}
    assert operator.get(path).headers["ETag"] == '"2"'
    assert operator.patch(path, {"seller": None}, if_match='"1"').status == 412
    assert operator.patch(path, {"top_up": None}).body["top_up"] is None
    assert caller(alice).get(path).body["seller"] == str(seller.pk)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"seller": MISSING}, "seller"),
        ({"dunning_policy": MISSING}, "dunning_policy"),
        ({"is_dunned": "no"}, "is_dunned"),
        ({"top_up": {"currency": "EUR", "threshold": "1"}}, "top_up"),
        ({"top_up": {"currency": "JPY", "threshold": "1", "amount": "1.5"}}, "top_up"),
        ({"top_up": {"currency": "EUR", "threshold": "1", "amount": "0"}}, "top_up"),
        ({"top_up": {"currency": "XXQ", "threshold": "1", "amount": "1"}}, "top_up"),
    ],
)
def test_what_cannot_be_agreed_is_refused(
    operator: Caller, alice: Customer, fields: dict[str, Any], field: str
) -> None:
    answer = operator.patch(f"/customers/{alice.pk}/billing-profile", fields)
    assert answer.status == 400
    assert field in "".join(answer.body["errors"])
    assert not DunningRun.objects.exists()
