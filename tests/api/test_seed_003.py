"""The worked example of seed 003 through the API alone: 198.00, then 270.00."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calling import Caller

pytestmark = pytest.mark.django_db

PREMIUM = {
    "name": "Premium",
    "tier": 2,
    "currency": "USD",
    "amount": "180.00",
    "interval": "month",
    "alignment": "calendar",
    "first_day_counts": False,
    "trial_days": 14,
    "usage": [
        {"meter": "api_calls", "model": "allowance", "included": "400", "unit_amount": "1.80"}
    ],
}


def test_premium_from_trial_to_the_second_invoice(operator: Caller) -> None:
    assert operator.post("/meters", {"code": "api_calls"}).status == 201
    plan = operator.post("/plans", PREMIUM).body
    clock = operator.post("/test-clocks", {"now": "2026-03-28T09:00:00Z"}).body
    alice = operator.post(
        "/customers", {"organization_id": "alice", "country": "GB", "test_clock": clock["id"]}
    ).body
    trial = operator.post("/subscriptions", {"customer": alice["id"], "plan_id": plan["id"]})

    assert trial.status == 201
    assert trial.body["status"] == "trialing"
    assert trial.body["trial_end"] == "2026-04-11T09:00:00Z"

    _advance(operator, clock, "2026-04-11T15:00:00Z")
    added = operator.post(
        "/payment-methods", {"customer": alice["id"], "gateway": "sandbox", "token": "tok_ok"}
    )

    assert added.status == 201
    assert added.body["last4"] == "4242"
    active = operator.get(f"/subscriptions/{trial.body['id']}").body
    assert active["status"] == "active"
    assert active["current_period_start"] == "2026-04-11T15:00:00Z"
    assert active["current_period_end"] == "2026-05-01T00:00:00Z"

    _advance(operator, clock, "2026-04-20T10:00:00Z")
    _uses(operator, "300")
    _advance(operator, clock, "2026-05-01T00:00:00Z")
    first = _newest_invoice(operator, alice)

    assert first["number"] == "INV-000001"
    assert first["status"] == "paid"
    assert first["total"] == first["amount_paid"] == "198.00"
    assert first["amount_due"] == "0.00"
    assert [line["amount"] for line in first["lines"]] == ["114.00", "84.00"]
    assert first["lines"][0]["proration"] == {"used": 19, "whole": 30, "unit": "days"}
    assert first["lines"][1]["explanation"] == (
        "300 used − 253.33… included (400 × 19/30 days) = 46.66… × 1.80 = 84.00 USD"
    )
    assert first["lines"][1]["quantity"] == "46.666666666667"
    assert first["period_start"] == "2026-04-11T15:00:00Z"

    _advance(operator, clock, "2026-05-12T12:00:00Z")
    _uses(operator, "450")
    _advance(operator, clock, "2026-06-01T00:00:00Z")
    second = _newest_invoice(operator, alice)

    assert second["number"] == "INV-000002"
    assert second["total"] == "270.00"
    assert second["lines"][1]["quantity"] == "50"


def _advance(operator: Caller, clock: dict[str, Any], to: str) -> None:
    moved = operator.post(f"/test-clocks/{clock['id']}/advance", {"now": to})
    assert (moved.status, moved.body["now"]) == (200, to)


def _uses(operator: Caller, quantity: str) -> None:
    event = {"id": f"e{quantity}", "customer": "alice", "meter": "api_calls", "quantity": quantity}
    receipt = operator.post("/usage-events", event)
    assert receipt.status == 202
    assert receipt.body == {"accepted": 1, "duplicates": 0, "rejected": []}


def _newest_invoice(operator: Caller, customer: dict[str, Any]) -> dict[str, Any]:
    invoices: list[dict[str, Any]] = operator.get(f"/invoices?customer={customer['id']}").body[
        "invoices"
    ]
    return invoices[0]
