"""Subscribing, and every shape that a subscription has under the contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from billing.core.money import Money
from billing.models.credit import GrantKind
from billing.services import grants
from billing.services.credit import Gift
from customers.models import Customer
from plans.models import Plan
from tests import builders
from tests.api.calling import Caller, caller
from tests.api.prism.document import loads
from tests.terms import seed_terms
from tests.world import World

pytestmark = pytest.mark.django_db

NEVER: Final = "0001-01-01T00:00:00Z"
NOT_YET: Final = "1970-01-01T00:00:00Z"


def test_without_a_payment_method_it_waits(operator: Caller, alice: Customer) -> None:
    plan = builders.make_plan("Paid", seed_terms("180", "400", "1.80", trial_days=0))

    answer = operator.post("/billing/customer/alice/subscription", {"plan_id": str(plan.pk)})

    assert answer.status == 201
    body, subscription = answer.body, answer.body["subscription"]
    assert (body["sub_status"], subscription["Status"]) == ("incomplete", "incomplete")
    assert body["sub_id"] == subscription["ID"] == subscription["PASubID"]
    absent = ("CurrentPeriodStart", "CurrentPeriodEnd", "BillingCycleAnchor", "TrailStart")
    assert {subscription[name] for name in absent} == {NOT_YET}
    assert subscription["CreatedAt"] > "2026"
    assert subscription["LatestInvoice"]["id"] == ""
    assert subscription["LatestInvoice"]["paid"] is False


def test_a_second_one_is_a_conflict(operator: Caller, alice: Customer) -> None:
    plan = builders.make_plan()
    order = {"plan_id": str(plan.pk)}
    assert operator.post("/billing/customer/alice/subscription", order).status == 201

    here = operator.post("/billing/customer/alice/subscription", order)
    there = operator.post("/subscriptions", {"customer": str(alice.pk), **order})

    assert (here.status, here.code) == (409, "already_subscribed")
    assert (there.status, there.code) == (here.status, here.code)


def test_what_cannot_be_ordered(
    operator: Caller, alice: Customer, as_alice: Caller, as_charlie: Caller
) -> None:
    public = builders.make_plan()
    off = builders.make_plan("Off", is_disabled=True)
    address = f"/billing/customer/{alice.pk}/subscription"

    assert operator.post(address, {"plan_id": str(off.pk)}).code == "plan_not_on_sale"
    assert as_alice.post(address, {"plan_id": str(off.pk)}).code == "not_found"
    assert as_charlie.post(address, {"plan_id": str(public.pk)}).code == "not_found"
    assert operator.post(address, {"plan_id": "Gold"}).status == 400
    assert operator.post(address, {}).code == "required"
    extra = operator.post(address, {"plan_id": str(public.pk), "quantity": 2})
    assert (extra.status, list(extra.body["errors"])) == (400, ["quantity"])
    assert as_alice.post(address, {"plan_id": str(public.pk)}).status == 201


def test_a_trial(world: World) -> None:
    alice = world.at("2026-04-11 09:00").signs_up("alice", "Premium")

    body = shown(alice)
    subscription = body["subscription"]

    assert body["sub_status"] == "trialing"
    assert subscription["TrailStart"] == subscription["CurrentPeriodStart"]
    assert subscription["TrailStart"] == "2026-04-11T09:00:00Z"
    assert subscription["TrailEnd"] == subscription["CurrentPeriodEnd"] == "2026-04-25T09:00:00Z"
    assert subscription["BillingCycleAnchor"] == NOT_YET
    assert subscription["Plan"] == {
        "id": str(world.plan("Premium").pk),
        "name": "Premium",
        "pa_plan_id": "",
        "amount": "180",
        "currency": "usd",
        "limits": None,
        "metadata": None,
    }
    assert (body["plan"]["currency"], body["plan"]["limits"]) == ("USD", {})


@pytest.mark.parametrize(
    ("currency", "price", "text"),
    [
        ("EUR", "12.50", "12.5"),
        ("EUR", "5", "5"),
        ("JPY", "500", "500"),
        ("KWD", "1.230", "1.23"),
        ("EUR", "70368744177.67", "70368744177.67"),
    ],
)
def test_money_is_an_exact_number(world: World, currency: str, price: str, text: str) -> None:
    alice = world.at("2026-06-04 10:59").customer("alice")
    world.adds_card(alice)
    world.sells("Plan2", price, currency=currency)
    world.subscribes(alice, "Plan2")

    body = shown(alice)
    invoice, charge = (body["subscription"][name] for name in ("LatestInvoice", "PaymentIndent"))

    number = loads(text)
    assert f'"total":{text}}}' in raw(alice)
    assert (invoice["total"], type(invoice["total"])) == (number, type(number))
    assert (invoice["status"], invoice["paid"]) == ("paid", True)
    assert [invoice[f"amount_{name}"] for name in ("due", "paid", "remaining")] == [
        number,
        number,
        0,
    ]
    assert (charge["status"], charge["amount"]) == ("succeeded", number)
    assert (charge["amount_received"], charge["amount_capturable"]) == (number, 0)
    assert charge["client_secret"] == ""


def test_what_is_not_paid_yet_remains(world: World) -> None:
    alice = world.at("2026-06-04 10:59").customer("alice")
    world.adds_card(alice, "tok_declined")
    grants.grant(alice.pk, Money(250, "USD"), Gift(GrantKind.PROMOTIONAL), now=world.now)
    world.sells("Plan2", "12.50")
    world.subscribes(alice, "Plan2")

    body = shown(alice)
    invoice, charge = (body["subscription"][name] for name in ("LatestInvoice", "PaymentIndent"))

    assert (body["sub_status"], invoice["status"]) == ("past_due", "charged_with_error")
    assert (invoice["total"], invoice["paid"]) == (Decimal("12.5"), False)
    assert [invoice[f"amount_{name}"] for name in ("due", "paid", "remaining")] == [10, 0, 10]
    assert (charge["status"], charge["amount"], charge["amount_received"]) == ("failed", 10, 0)


def test_a_cancellation_to_come_and_one_that_was(world: World) -> None:
    alice = world.at("2026-06-04 10:59").customer("alice")
    world.adds_card(alice)
    world.sells("Plan2", "5")
    world.subscribes(alice, "Plan2")
    assert shown(alice)["subscription"]["CancelAtPeriodEnd"] is False
    world.cancels(alice)

    coming = shown(alice)["subscription"]
    world.at("2026-07-05")
    gone = shown(alice)["subscription"]

    assert (coming["Status"], coming["CancelAtPeriodEnd"]) == ("active", True)
    assert coming["CancelAt"] == coming["CurrentPeriodEnd"] == "2026-07-04T10:59:00Z"
    assert coming["CanceledAt"] == NOT_YET
    assert (gone["Status"], gone["CancelAtPeriodEnd"]) == ("canceled", False)
    assert gone["CanceledAt"] == "2026-07-04T10:59:00Z"
    assert (gone["CurrentPeriodStart"], gone["CurrentPeriodEnd"]) == (NOT_YET, NOT_YET)
    assert gone["ID"] == coming["ID"]
    assert shown(alice)["plan"]["name"] == "Plan2"


def test_a_cancellation_at_another_time_is_not_at_the_periods_end(world: World) -> None:
    alice = world.at("2026-06-04 10:59").customer("alice")
    world.adds_card(alice)
    world.sells("Plan2", "5")
    world.subscribes(alice, "Plan2")
    world.cancels(alice, "2026-06-20")

    coming = shown(alice)["subscription"]

    assert (coming["CancelAt"], coming["CancelAtPeriodEnd"]) == ("2026-06-20T00:00:00Z", False)


def test_the_newest_subscription_is_shown(world: World) -> None:
    alice = world.at("2026-06-04 10:59").customer("alice")
    world.adds_card(alice)
    world.sells("Plan2", "5")
    world.subscribes(alice, "Plan2")
    world.cancels(alice, "now")
    world.sells("Plan4", "12")
    world.at("2026-06-10").subscribes(alice, "Plan4")

    body = shown(alice)

    assert (body["sub_status"], body["plan"]["name"]) == ("active", "Plan4")
    assert body["subscription"]["LatestInvoice"]["total"] == 12


def test_the_checkout_is_a_redirection_with_a_body(
    alice: Customer, as_alice: Caller, as_charlie: Caller, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://billing.example.com"

    answer = as_alice.get("/billing/organization/alice")

    assert answer.status == 302
    assert answer.headers["Location"].startswith("https://billing.example.com/billing/enter/")
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.body["organization_id"], answer.body["sub_id"]) == ("alice", "")
    assert answer.body["pa_customer_id"] == alice.anonymous_id
    assert answer.body["updated_at"] == NEVER
    assert as_charlie.get("/billing/organization/alice").code == "not_found"
    assert as_charlie.get(f"/billing/organization/{alice.pk}").code == "not_found"


def test_the_checkout_needs_no_second_login(alice: Customer, as_alice: Caller) -> None:
    location = urlsplit(as_alice.get("/billing/organization/alice").headers["Location"])

    page = Client().get(location.path, follow=True)

    assert page.redirect_chain[-1][0] == "/billing/payment-methods/"
    assert page.status_code == 200


def test_who_may_only_read_signs_in_at_the_checkout(alice: Customer) -> None:
    reader = caller(alice, is_read_only=True)

    location = urlsplit(reader.get("/billing/organization/alice").headers["Location"])

    assert location.path == "/billing/payment-methods/"
    assert Client().get(location.path).status_code == 302


def test_a_repetition_gets_the_same_letters(operator: Caller, alice: Customer) -> None:
    plan = operator.post("/billing/plans", {"name": "Half", "currency": "EUR", "amount": "12.5"})
    card = {"customer": str(alice.pk), "gateway": "sandbox", "token": "tok_ok"}
    operator.post("/payment-methods", card)

    def subscribed() -> Any:
        return Client().generic(
            "POST",
            "/billing/customer/alice/subscription",
            f'{{"plan_id": "{plan.body["id"]}"}}',
            headers={"Authorization": f"Bearer {operator.token}", "Idempotency-Key": "k1"},
        )

    first, again = subscribed(), subscribed()

    assert (first.status_code, again.status_code) == (201, 201)
    assert b'"total":12.5}' in first.content
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Plan.objects.count() == 1


def raw(customer: Customer) -> str:
    """The customer as the contract shows them, letter by letter."""
    answer = Client().get(
        f"/billing/organization/{customer.pk}",
        headers={"Authorization": f"Bearer {caller().token}"},
    )
    return answer.content.decode()


def shown(customer: Customer) -> dict[str, Any]:
    """The same, read without losing a digit."""
    body: dict[str, Any] = loads(raw(customer))
    return body
