"""`/subscriptions/{id}/changes`, cancel, pause, resume and trial-end, through HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import ScheduledChange
from customers.models import Customer
from plans.models import Coupon
from tests.api.calling import Caller, caller
from tests.world import World, instant

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(world: World) -> Customer:
    """Five seats of Team since 1 April 2026, in advance."""
    world.at("2026-04-01")
    world.sells("Team", "10.00", quantity_unit="seat")
    world.sells("Big", "20.00", quantity_unit="seat")
    customer = world.customer("alice")
    world.adds_card(customer)
    world.subscribes(customer, "Team", quantity=5)
    return customer


def path(world: World, alice: Customer, *rest: object) -> str:
    return "/".join(["/subscriptions", str(world.subscription(alice).pk), *map(str, rest)])


def test_an_upgrade_at_once(world: World, alice: Customer) -> None:
    world.at("2026-04-16")
    big = world.plans["Big"]

    answer = caller(alice).post(
        path(world, alice, "changes"), {"plan_id": str(big.pk), "when": "now"}
    )

    assert answer.status == 201
    assert answer.body == {
        "id": answer.body["id"],
        "subscription": str(world.subscription(alice).pk),
        "status": "applied",
        "due_at": "2026-04-16T00:00:00Z",
        "is_at_period_end": False,
        "plan": {"id": str(big.pk), "name": "Big", "version": 1},
        "quantity": None,
        "coupon": None,
        "billing_anchor": None,
        "act": None,
        "charge": None,
        "reason": "",
        "created_by": answer.body["created_by"],
        "created_at": "2026-04-16T00:00:00Z",
        "settled_at": "2026-04-16T00:00:00Z",
    }
    invoice = world.newest_invoice(alice)
    shown = caller(alice).get(f"/invoices/{invoice.pk}").body
    assert [(line["kind"], line["amount"], line["discount"]) for line in shown["lines"]] == [
        ("unused", "-25.00", "0.00"),
        ("recurring", "50.00", "0.00"),
    ]
    assert shown["lines"][1]["proration"] == {"used": 15, "whole": 30, "unit": "days"}
    assert (shown["subtotal"], shown["discount"], shown["total"]) == ("25.00", "0.00", "25.00")


def test_the_timeline_is_told_and_a_change_is_withdrawn(world: World, alice: Customer) -> None:
    as_alice, changes = caller(alice), path(world, alice, "changes")
    more = as_alice.post(changes, {"quantity": 7, "when": "2026-04-20T00:00:00Z"}).body
    as_alice.post(path(world, alice, "cancel"), {})

    listed = as_alice.get(changes).body
    shown = as_alice.get(path(world, alice)).body

    assert listed["total"] == 2
    assert [(step["at"], step["after"]) for step in listed["timeline"]] == [
        (
            "2026-04-20T00:00:00Z",
            {
                "status": "active",
                "plan": "Team",
                "quantity": "7",
                "period_end": "2026-05-01T00:00:00Z",
            },
        ),
        (
            "2026-05-01T00:00:00Z",
            {"status": "canceled", "plan": "Team", "quantity": "7", "period_end": None},
        ),
    ]
    assert shown["cancel_at"] == "2026-05-01T00:00:00Z"
    assert [change["act"] for change in shown["scheduled_changes"]] == [None, "cancel"]

    assert as_alice.delete(f"{changes}/{more['id']}").status == 204
    assert as_alice.get(f"{changes}/{more['id']}").body["status"] == "withdrawn"
    assert len(as_alice.get(changes).body["timeline"]) == 1


def test_contradictions_are_told_with_the_changes_they_are_about(
    world: World, alice: Customer
) -> None:
    as_alice, changes = caller(alice), path(world, alice, "changes")
    later = as_alice.post(changes, {"quantity": 7, "when": "2026-06-20T00:00:00Z"}).body

    refused = as_alice.post(path(world, alice, "cancel"), {"when": "2026-06-10T00:00:00Z"})
    twice = as_alice.post(changes, {"quantity": 8, "when": "2026-06-20T00:00:00Z"})

    assert (refused.status, refused.code) == (409, "after_cancellation")
    assert refused.body["conflicts"] == [
        {
            "code": "after_cancellation",
            "detail": "The subscription is canceled by then.",
            "due_at": "2026-06-20T00:00:00Z",
            "change": later["id"],
        }
    ]
    assert [conflict["change"] for conflict in twice.body["conflicts"]] == [None]


def test_cancel_pause_and_resume(world: World, alice: Customer) -> None:
    as_alice = caller(alice)
    world.at("2026-04-11")

    paused = as_alice.post(path(world, alice, "pause"), {})
    resumed = as_alice.post(path(world, alice, "resume"), {"when": "now"})
    ended = as_alice.post(path(world, alice, "cancel"), {"when": "now"})

    assert [answer.body["status"] for answer in (paused, resumed, ended)] == [
        "paused",
        "active",
        "canceled",
    ]
    assert ended.body["canceled_at"] == "2026-04-11T00:00:00Z"
    assert as_alice.post(path(world, alice, "resume"), {}).code == "after_cancellation"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"when": "soon", "quantity": 6}, "invalid_request"),
        ({"when": "2026-04-20", "quantity": 6}, "invalid_request"),
        ({"when": "2026-03-01T00:00:00Z", "quantity": 6}, "in_the_past"),
        ({"quantity": 0}, "min_value"),
        ({"coupon": "NONE"}, "unknown_coupon"),
        ({"plan": "Big"}, "unknown_field"),
    ],
)
def test_bad_changes(world: World, alice: Customer, body: dict[str, Any], code: str) -> None:
    answer = caller(alice).post(path(world, alice, "changes"), body)

    assert (answer.status, answer.code) == (400, code)
    assert not ScheduledChange.objects.exists()


def test_nothing_asked_for_changes_nothing(world: World, alice: Customer) -> None:
    answer = caller(alice).post(path(world, alice, "changes"), {})
    assert (answer.status, answer.code) == (409, "nothing_changes")


@pytest.mark.parametrize(
    "body",
    [
        {"quantity": 6, "prorate": False},
        {"quantity": 6, "charge": "none"},
        {"billing_anchor": "2026-04-15T00:00:00Z"},
    ],
)
def test_what_costs_us_is_for_operators(
    world: World, alice: Customer, operator: Caller, body: dict[str, Any]
) -> None:
    changes = path(world, alice, "changes")
    assert caller(alice).post(changes, body).code == "operator_only"
    assert operator.post(changes, body).status == 201


def test_a_coupon_is_redeemed_by_a_change(world: World, alice: Customer) -> None:
    Coupon.objects.create(code="Half", percent_off=50, duration="FOREVER", created_at=world.now)

    answer = caller(alice).post(path(world, alice, "changes"), {"coupon": "half"})

    assert (answer.status, answer.body["coupon"]) == (201, "Half")
    shown = caller(alice).get(path(world, alice)).body
    assert shown["coupons"] == [{"coupon": "Half", "periods_left": None, "covers_until": None}]
    world.at("2026-05-01")
    assert world.newest_invoice(alice).total.minor == 25_00


def test_a_trial_is_moved_by_operators(world: World, operator: Caller) -> None:
    bob = world.at("2026-04-01 09:00").signs_up("bob", "Premium")
    address = path(world, bob, "trial-end")

    longer = operator.post(address, {"at": "2026-05-08T09:00:00Z"})
    over = operator.post(address, {"at": "now"})

    assert longer.body["trial_end"] == "2026-05-08T09:00:00Z"
    assert over.body["trial_end"] == "2026-04-01T09:00:00Z"
    assert caller(bob).post(address, {"at": "now"}).code == "operator_only"
    assert operator.post(address, {"at": "period_end"}).code == "invalid_time"
    world.at("2026-04-02")
    assert world.subscription(bob).status == "INCOMPLETE"


def test_a_start_in_the_future_waits_for_it(world: World, operator: Caller) -> None:
    carol = world.at("2026-04-01").customer("carol")
    world.adds_card(carol)
    world.sells("Basic", "30.00")

    made = operator.post(
        "/subscriptions",
        {
            "customer": str(carol.pk),
            "plan_id": str(world.plans["Basic"].pk),
            "starts_at": "2026-04-16T00:00:00Z",
        },
    )

    assert (made.status, made.body["status"]) == (201, "incomplete")
    world.at("2026-04-17")
    assert world.subscription(carol).billing_anchor == instant("2026-04-16")
    assert world.bills(carol) == [("04-16", [("Basic", "30.00")], "30.00")]
