"""`/invoice-previews`: the same figures as the real run, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from billing.models import Invoice
from customers.models import Customer
from plans import services as plan_services
from plans.models import Coupon
from tests.api.calling import Caller, caller
from tests.world import World

pytestmark = pytest.mark.django_db

PATH = "/invoice-previews"
PREMIUM: dict[str, Any] = {
    "name": "Premium",
    "currency": "USD",
    "amount": "180.00",
    "alignment": "calendar",
    "first_day_counts": False,
    "usage": [
        {"meter": "api_calls", "model": "allowance", "included": "400", "unit_amount": "1.80"}
    ],
}


def everything() -> dict[str, list[str]]:
    """Every row of every table of ours, but tokens, which note when they were used."""
    tables = sorted(
        model._meta.db_table
        for model in apps.get_models()
        if model._meta.app_label in {"billing", "plans", "customers"}
        and model.__name__ != "ApiToken"
    )
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            found[table] = [row[0] for row in cursor.fetchall()]
    return found


def amounts(body: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]], str]]:
    return [
        (
            invoice["at"][:10],
            [(line["description"], line["amount"]) for line in invoice["lines"]],
            invoice["total"],
        )
        for invoice in body["invoices"]
    ]


def test_seed_003_for_a_plan_in_the_body(operator: Caller) -> None:
    answer = operator.post(
        PATH,
        {
            "plan": PREMIUM,
            "started_at": "2026-04-11T15:00:00Z",
            "usage": {"api_calls": "300"},
        },
    )

    assert answer.status == 200
    (invoice,) = answer.body["invoices"]
    assert invoice["at"] == "2026-05-01T00:00:00Z"
    assert [line["explanation"] for line in invoice["lines"]] == [
        "180.00 × 19/30 days = 114.00 USD",
        "300 used − 253.33… included (400 × 19/30 days) = 46.66… × 1.80 = 84.00 USD",
    ]
    assert (answer.body["currency"], answer.body["total"]) == ("USD", "198.00")


def test_both_invoices_of_a_plan_in_advance(operator: Caller) -> None:
    """Silver's case: 100.00 for half of February, then 200.00 and two units above ten."""
    body = operator.post(
        PATH,
        {
            "plan": {
                "currency": "USD",
                "amount": "200.00",
                "alignment": "calendar",
                "billed": "in_advance",
                "usage": [
                    {
                        "meter": "units",
                        "model": "allowance",
                        "included": "20",
                        "unit_amount": "2.5",
                    }
                ],
            },
            "started_at": "2015-02-15T00:00:00Z",
            "usage": {"units": "12"},
        },
    ).body

    assert amounts(body) == [
        ("2015-02-15", [("Plan", "100.00")], "100.00"),
        ("2015-03-01", [("Plan: units", "5.00"), ("Plan", "200.00")], "205.00"),
    ]


def test_a_change_in_a_running_period_of_a_supposed_subscription(operator: Caller) -> None:
    """Polar's case, by seconds: a third is over."""
    old = {"currency": "USD", "amount": "100", "billed": "in_advance", "proration": "second"}
    body = operator.post(
        PATH,
        {
            "plan": {**old, "name": "Old"},
            "period_start": "2025-06-01T00:00:00Z",
            "change": {
                "plan": {**old, "name": "New", "amount": "300"},
                "when": "2025-06-11T00:00:00Z",
            },
        },
    ).body

    assert amounts(body) == [
        ("2025-06-11", [("Unused Old", "-66.67"), ("New", "200.00")], "133.33"),
    ]
    assert body["total"] == "133.33"


def test_a_preview_is_what_comes_and_writes_nothing(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "10.00")
    pro = world.sells("Pro", "30.00")
    half = Coupon.objects.create(code="HALF", percent_off=50, duration="ONCE", created_at=world.now)
    world.subscribes(alice, "Basic")
    world.uses(alice, 3)
    world.at("2026-04-16")
    as_alice, before = caller(alice, is_read_only=True), everything()
    asked = {
        "subscription": str(world.subscription(alice).pk),
        "change": {"plan_id": str(pro.pk), "when": "now"},
        "period_end": "2026-05-01T00:00:00Z",
    }

    answer = as_alice.post(PATH, asked)

    assert answer.status == 200
    assert everything() == before
    world.changes(alice, plan="Pro")
    world.at("2026-05-01")
    assert amounts(answer.body) == [
        (f"2026-{day}", lines, total) for day, lines, total in world.bills(alice)[1:]
    ]
    assert half.redemptions == 0


def test_a_preview_knows_what_is_scheduled_and_what_contradicts(
    world: World, operator: Caller
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "10.00")
    pro = world.sells("Pro", "30.00")
    world.subscribes(alice, "Basic")
    world.cancels(alice)
    subscription = str(world.subscription(alice).pk)

    plain = operator.post(PATH, {"subscription": subscription})
    later = {"plan_id": str(pro.pk), "when": "2026-06-01T00:00:00Z"}
    refused = operator.post(PATH, {"subscription": subscription, "change": later})

    assert amounts(plain.body) == []
    assert (plain.body["currency"], plain.body["total"]) == ("USD", "0.00")
    assert (refused.status, refused.code) == (409, "after_cancellation")


def test_what_was_used_so_far_is_in_it_unless_it_is_said_otherwise(
    world: World, operator: Caller
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.subscribes(alice, "Premium", trial_days=0)
    world.uses(alice, 500)
    asked = {"subscription": str(world.subscription(alice).pk)}

    so_far = operator.post(PATH, asked).body
    supposed = operator.post(PATH, {**asked, "usage": {"api_calls": "0"}}).body

    assert (so_far["total"], supposed["total"]) == ("378.00", "174.00")
    world.at("2026-05-01")
    assert str(Invoice.objects.get().total.major) == so_far["total"]


def test_coupons_seats_and_zones(operator: Caller) -> None:
    Coupon.objects.create(
        code="TEN", percent_off=10, duration="FOREVER", created_at="2020-01-01T00:00:00Z"
    )
    body = operator.post(
        PATH,
        {
            "plan": {
                "currency": "JPY",
                "amount": "50000",
                "quantity_unit": "seat",
                "alignment": "calendar",
                "billed": "in_advance",
            },
            "quantity": 2,
            "coupon": "ten",
            "timezone": "Asia/Tokyo",
            "started_at": "2024-04-01T15:00:00Z",
            "country": "JP",
        },
    ).body

    first = body["invoices"][0]
    assert first["lines"][0]["proration"] == {"used": 29, "whole": 30, "unit": "days"}
    assert (first["subtotal"], first["discount"], first["total"]) == ("96667", "9667", "87000")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "required"),
        ({"plan": PREMIUM, "plan_id": "0198d5a2-0000-7000-8000-000000000001"}, "required"),
        ({"plan": {"currency": "USD"}}, "required"),
        ({"plan": PREMIUM, "usage": {"api_calls": "many"}}, "invalid_request"),
        ({"plan": PREMIUM, "country": "Country"}, "unknown_country"),
        ({"plan": PREMIUM, "timezone": "Mars/Olympus"}, "unknown_timezone"),
        ({"plan": PREMIUM, "coupon": "NONE"}, "unknown_coupon"),
        (
            {
                "plan": PREMIUM,
                "period_start": "2026-05-01T00:00:00Z",
                "period_end": "2026-04-01T00:00:00Z",
            },
            "invalid_period",
        ),
        ({"plan": PREMIUM, "surprise": 1}, "unknown_field"),
    ],
)
def test_bad_suppositions(operator: Caller, fields: dict[str, Any], code: str) -> None:
    answer = operator.post(PATH, fields)
    assert (answer.status, answer.code) == (400, code)


def test_a_stranger_sees_nothing(world: World) -> None:
    alice = world.at("2026-04-01").signs_up("alice", "Premium")
    bob: Customer = world.customer("bob")
    asked = {"subscription": str(world.subscription(alice).pk)}
    assert caller(bob).post(PATH, asked).status == 404
    assert caller(bob).post(PATH, {"customer": str(alice.pk), "plan": PREMIUM}).status == 404


def test_a_coupon_that_would_be_redeemed_is_in_the_preview(world: World, operator: Caller) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "10.00")
    world.subscribes(alice, "Basic")
    half = Coupon.objects.create(code="HALF", percent_off=50, duration="ONCE", created_at=world.now)
    asked = {"subscription": str(world.subscription(alice).pk), "change": {"coupon": "HALF"}}

    foreseen = operator.post(PATH, asked).body["total"]
    world.changes(alice, coupon=half)
    world.at("2026-05-01")

    assert foreseen == str(world.newest_invoice(alice).total.major) == "5.00"


def test_an_older_contradiction_is_no_more_in_the_previews_way_than_in_the_changes(
    world: World, operator: Caller
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Basic", "10.00")
    gone, pro = world.sells("Gone", "20.00"), world.sells("Pro", "30.00")
    world.subscribes(alice, "Basic")
    world.changes(alice, plan="Gone", when="2026-06-10")
    plan_services.retire(gone.pk, by="test", now=world.now)
    world.at("2026-04-16")
    change = {"plan_id": str(pro.pk), "when": "now"}
    subscription = str(world.subscription(alice).pk)

    foreseen = operator.post(PATH, {"subscription": subscription, "change": change})
    done = operator.post(f"/subscriptions/{subscription}/changes", change)

    assert (foreseen.status, done.status) == (200, 201)
    assert foreseen.body["total"] == str(world.newest_invoice(alice).total.major) == "10.00"
