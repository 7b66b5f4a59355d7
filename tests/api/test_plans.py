"""`/plans`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.api.plan_shapes import terms_of
from billing.core.lifecycle import SubscriptionStatus
from billing.models import ScheduledChange, Subscription
from billing.models.schedule import ChangeStatus
from billing.services import subscriptions
from customers.models import Customer
from plans.models import Feature, Plan, PlanVersion
from plans.terms import PlanTerms
from tests import builders
from tests.api.calling import Caller, caller
from tests.api.stage import NOW

pytestmark = pytest.mark.django_db

GOLD: dict[str, Any] = {
    "name": "Gold",
    "description": "For many.",
    "tier": 4,
    "pa_plan_id": "prod_1",
    "currency": "USD",
    "amount": "600.00",
    "interval": "month",
    "interval_count": 1,
    "alignment": "calendar",
    "billed": "in_arrears",
    "trial_days": 14,
    "trial_usage": "free",
    "trial_requires_payment_method": False,
    "quantity_unit": None,
    "quantity_pricing": None,
    "minimum_quantity": 1,
    "usage": [
        {"meter": "api_calls", "model": "allowance", "included": "1500", "unit_amount": "1.25"}
    ],
    "minimum": None,
    "proration": "day",
    "first_day_counts": False,
    "changes": {
        "upgrade": {"when": "now", "charge": "prorate"},
        "downgrade": {"when": "period_end", "charge": "prorate"},
    },
    "tax_class": "standard",
    "is_tax_included": False,
    "is_prepaid": False,
    "features": {"sso": True},
    "limits": {"MaxComputations": "12"},
    "metadata": {"color": "gold", "weight": 0.5},
    "public_plan": True,
    "allowed_organizations": None,
    "disable": False,
    "billed_by": "engine",
}
TRIAL_NEEDS = "trial_requires_payment_method"
MINIMAL = {"name": "Free", "currency": "USD", "amount": "0.00"}


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    builders.make_meter()
    Feature.objects.create(code="sso")


def test_a_plan_is_answered_as_it_was_sent(operator: Caller) -> None:
    answer = operator.post("/plans", GOLD)

    assert answer.status == 201
    assert answer.body == {
        **GOLD,
        "id": answer.body["id"],
        "version": 1,
        "created_by": answer.body["created_by"],
        "created_at": answer.body["created_at"],
        "updated_by": "",
        "updated_at": None,
    }
    assert answer.body["created_by"].startswith("test (bsr_")
    assert operator.get(f"/plans/{answer.body['id']}").body == answer.body


def test_what_is_left_out_is_usual(operator: Caller) -> None:
    body = operator.post("/plans", MINIMAL).body

    assert body["interval"] == "month"
    assert body["alignment"] == "anniversary"
    assert body["proration"] == "day"
    assert body["first_day_counts"] is True
    assert body["usage"] == []
    assert body["amount"] == "0.00"


def test_numbers_are_taken_where_they_are_exact(operator: Caller) -> None:
    price = {"meter": "api_calls", "model": "per_unit", "unit_amount": 0.000000000001}

    body = operator.post("/plans", {**MINIMAL, "amount": 12.5, "usage": [price]}).body

    assert body["amount"] == "12.50"
    assert body["usage"][0]["unit_amount"] == "0.000000000001"


@pytest.mark.parametrize(
    ("currency", "amount", "shown"), [("JPY", "500", "500"), ("KWD", "1.234", "1.234")]
)
def test_money_has_the_currencys_decimals(
    operator: Caller, currency: str, amount: str, shown: str
) -> None:
    body = operator.post("/plans", {**MINIMAL, "currency": currency, "amount": amount}).body

    assert body["amount"] == shown


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"amount": "1.234"}, "too_many_decimals", "amount"),
        ({"currency": "JPY", "amount": "1.5"}, "too_many_decimals", "amount"),
        ({"amount": "-1.00"}, "negative", "amount"),
        ({"amount": "NaN"}, "invalid_request", "amount"),
        ({"amount": "1000000000"}, "too_large", "amount"),
        ({"currency": "EURO"}, "unknown_currency", "currency"),
        ({"currency": "usd"}, "unknown_currency", "currency"),
        ({"billed": "sometimes"}, "invalid_choice", "billed"),
        ({"minimum": "-5.00"}, "negative", "minimum"),
        ({"quantity_pricing": {"model": "volume"}}, "invalid_terms", "quantity_pricing"),
        ({"minimum_quantity": 0}, "min_value", "minimum_quantity"),
        ({"minimum_quantity": 2}, "invalid_terms", "minimum_quantity"),
        ({"trial_usage": "cheap"}, "invalid_choice", "trial_usage"),
        ({"trial_requires_payment_method": "no"}, "invalid_request", TRIAL_NEEDS),
        ({"trial_needs_method": True}, "unknown_field", "trial_needs_method"),
        ({"changes": {"upgrade": {"when": "soon"}}}, "invalid_choice", "changes.upgrade.when"),
        ({"changes": {"upgrade": {"charge": 5}}}, "invalid_choice", "changes.upgrade.charge"),
        ({"changes": {"sidegrade": {}}}, "unknown_field", "changes.sidegrade"),
        ({"changes": None}, "null", "changes"),
        ({"billed_by": "stripe"}, "not_supported", "billed_by"),
        ({"interval": "fortnight"}, "invalid_choice", "interval"),
        ({"interval_count": 0}, "min_value", "interval_count"),
        ({"limits": {"MaxComputations": None}}, "invalid_request", "limits"),
        ({"price": "5"}, "unknown_field", "price"),
        ({"version": 2}, "unknown_field", "version"),
        ({"features": {"tele port": True}}, "invalid_request", "features"),
    ],
)
def test_bad_plans(operator: Caller, changes: dict[str, Any], code: str, field: str) -> None:
    answer = operator.post("/plans", {**MINIMAL, **changes})

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]
    assert Plan.objects.count() == 0


def test_other_terms_are_another_version(operator: Caller, alice: Customer) -> None:
    made = operator.post("/plans", GOLD).body
    plan = Plan.objects.get()
    subscriptions.start(alice.pk, plan, by="test", now=NOW)

    changed = operator.patch(f"/plans/{made['id']}", {"amount": "650.00", "tier": 5}).body

    assert (changed["version"], changed["amount"], changed["tier"]) == (2, "650.00", 5)
    assert changed["usage"] == made["usage"]
    assert changed["updated_by"].startswith("test (bsr_")
    assert Subscription.objects.get().plan_terms.to_json()["amount"] == "600"


def test_the_same_terms_are_no_new_version(operator: Caller) -> None:
    made = operator.post("/plans", GOLD).body

    changed = operator.patch(f"/plans/{made['id']}", {"amount": "600", "name": "Golden"}).body

    assert (changed["version"], changed["name"]) == (1, "Golden")
    assert PlanVersion.objects.count() == 1


def test_a_change_of_what_has_changed_is_refused(operator: Caller) -> None:
    made = operator.post("/plans", GOLD)
    path = f"/plans/{made.body['id']}"
    first = operator.patch(path, {"tier": 5}, if_match=made.headers["ETag"])

    late = operator.patch(path, {"tier": 6}, if_match=made.headers["ETag"])

    assert first.status == 200
    assert first.headers["ETag"] == operator.get(path).headers["ETag"] != made.headers["ETag"]
    assert (late.status, late.code) == (412, "version_mismatch")
    assert operator.patch(path, {"tier": 6}, if_match="*").body["tier"] == 6


def test_a_retired_plan_stays_readable_and_cannot_be_changed(operator: Caller) -> None:
    made = operator.post("/plans", GOLD).body
    path = f"/plans/{made['id']}"

    assert operator.delete(path).status == 204
    assert operator.delete(path).status == 204

    assert operator.get(path).status == 200
    assert operator.get("/plans").body["total"] == 0
    refused = operator.patch(path, {"tier": 1})
    assert (refused.status, refused.code) == (409, "plan_retired")


def test_customers_see_what_they_may_subscribe_to(operator: Caller, alice: Customer) -> None:
    offers: dict[str, dict[str, Any]] = {
        "Public": {},
        "Hers": {"public_plan": False, "allowed_organizations": ["alice", "bob"]},
        "Theirs": {"public_plan": False, "allowed_organizations": ["bob"]},
        "Disabled": {"disable": True},
    }
    made = {
        name: operator.post("/plans", {**MINIMAL, "name": name, **listing}).body["id"]
        for name, listing in offers.items()
    }
    as_alice = caller(alice)

    seen = as_alice.get("/plans").body["plans"]

    assert [plan["name"] for plan in seen] == ["Hers", "Public"]
    assert seen[0]["allowed_organizations"] == ["alice"]
    assert (seen[0]["created_by"], seen[0]["metadata"]) == ("", {})
    assert as_alice.get(f"/plans/{made['Theirs']}").status == 404
    assert operator.get("/plans").body["total"] == 4


def test_plans_come_by_tier(operator: Caller) -> None:
    builders.make_catalogue()

    listed = operator.get("/plans").body["plans"]

    assert [plan["name"] for plan in listed] == ["Basic", "Premium", "Silver", "Gold"]
    assert [plan["amount"] for plan in listed] == ["50.00", "180.00", "350.00", "600.00"]


def test_a_change_of_prices_names_them_whole(operator: Caller) -> None:
    made = operator.post("/plans", GOLD).body

    answer = operator.patch(f"/plans/{made['id']}", {"usage": [{"meter": "api_calls"}]})

    assert (answer.status, answer.code) == (400, "required")
    assert set(answer.body["errors"]) == {"usage.0.model"}


def test_a_change_that_another_one_overtook(
    operator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = operator.post("/plans", GOLD).body

    def overtaken(*arguments: Any) -> PlanTerms:
        Plan.objects.update(version=2)
        return terms_of(*arguments)

    monkeypatch.setattr("billing.api.plans.terms_of", overtaken)

    answer = operator.patch(f"/plans/{made['id']}", {"amount": "1.00"})

    assert (answer.status, answer.code) == (409, "changed_meanwhile")
    assert operator.get(f"/plans/{made['id']}").body["amount"] == "600.00"


def test_a_plan_makes_the_features_it_speaks_of_known(operator: Caller) -> None:
    operator.post("/plans", {**GOLD, "features": {"sso": True, "export": "csv"}})

    known = operator.get("/features").body["features"]
    assert [(feature["code"], feature["kind"]) for feature in known] == [
        ("export", "config"),
        ("sso", "switch"),
    ]


def test_every_version_of_a_plan_stays_readable(operator: Caller) -> None:
    made = operator.post("/plans", GOLD).body
    operator.patch(f"/plans/{made['id']}", {"amount": "650.00"})

    body = operator.get(f"/plans/{made['id']}/versions").body

    assert (body["total"], [row["number"] for row in body["versions"]]) == (2, [2, 1])
    assert [row["terms"]["amount"] for row in body["versions"]] == ["650.00", "600.00"]
    assert body["versions"][1]["terms"]["usage"] == GOLD["usage"]
    assert body["versions"][1]["created_by"].startswith("test (bsr_")
    assert operator.get(f"/plans/{made['id']}/versions?limit=1&offset=1").body["limit"] == 1


def test_whom_it_would_hit_if_a_plan_were_retired(operator: Caller, alice: Customer) -> None:
    gold = Plan.objects.get(pk=operator.post("/plans", GOLD).body["id"])
    silver = Plan.objects.get(pk=operator.post("/plans", {**GOLD, "name": "Silver"}).body["id"])
    subscription = subscriptions.start(alice.pk, silver, by="test", now=NOW)
    changes = [
        ScheduledChange.objects.create(
            subscription=subscription,
            due_at=NOW + timedelta(days=days),
            plan_version=plan.current,
            created_at=NOW,
        )
        for days, plan in ((60, gold), (30, gold), (90, silver))
    ]
    ScheduledChange.objects.create(
        subscription=subscription,
        due_at=NOW,
        plan_version=gold.current,
        created_at=NOW,
        settled_at=NOW,
        status=ChangeStatus.WITHDRAWN,
    )

    assert operator.get(f"/plans/{gold.pk}/retirement").body == {
        "subscriptions": 0,
        "scheduled_changes": [
            {
                "id": str(change.pk),
                "subscription": str(subscription.pk),
                "due_at": change.due_at.isoformat().replace("+00:00", "Z"),
            }
            for change in (changes[1], changes[0])
        ],
    }
    assert operator.get(f"/plans/{silver.pk}/retirement").body["subscriptions"] == 1
    Subscription.objects.update(status=SubscriptionStatus.CANCELED)
    assert operator.get(f"/plans/{silver.pk}/retirement").body["subscriptions"] == 0
