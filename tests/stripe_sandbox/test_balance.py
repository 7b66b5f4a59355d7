"""The balance, and what is paid out of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from tests.stripe_sandbox.conftest import Clock, Control

DAY = 24 * 3600


def pay(api: stripe.V1Services, method: str = "pm_card_bypassPending", **more: Any) -> str:
    wish: Any = {
        "amount": 10_000,
        "currency": "usd",
        "payment_method": method,
        "payment_method_types": ["card"],
        "confirm": True,
        **more,
    }
    return api.payment_intents.create(wish).id


def amounts(api: stripe.V1Services, currency: str = "usd") -> tuple[int, int]:
    """Return what is available and what is pending."""
    balance = api.balance.retrieve()
    return tuple(
        next(found.amount for found in getattr(balance, part) if found.currency == currency)
        for part in ("available", "pending")
    )


def test_money_is_pending_before_it_is_available(api: stripe.V1Services, clock: Clock) -> None:
    assert amounts(api) == (0, 0)
    intent = pay(api, "pm_card_visa")
    assert amounts(api) == (0, 9680)
    clock.now += 2 * DAY

    assert amounts(api) == (9680, 0)
    paid = api.payment_intents.retrieve(intent, {"expand": ["latest_charge.balance_transaction"]})
    assert paid["latest_charge"]["balance_transaction"]["status"] == "available"


def test_all_that_is_available_is_paid_out(
    api: stripe.V1Services, control: Control, clock: Clock
) -> None:
    first, second = pay(api), pay(api)
    refund = api.refunds.create({"payment_intent": second, "amount": 1000})
    clock.now += 2 * DAY
    waiting = pay(api, "pm_card_visa")
    pay(api, currency="eur")

    payout = control("POST", "payouts/pay", currency="usd")

    assert (payout["amount"], payout["status"], payout["automatic"]) == (18_360, "paid", True)
    entries = api.balance_transactions.list({"payout": payout["id"], "limit": 2})
    assert entries.has_more
    found = list(entries.auto_paging_iter())
    charges = [api.payment_intents.retrieve(paid).latest_charge for paid in (second, first)]
    assert [entry.source for entry in found] == [payout["id"], refund.id, *charges]
    assert sum(entry.net for entry in found) == 0
    assert found[0].type == "payout"
    assert amounts(api) == (0, 9680)
    kinds = [event.type for event in api.events.list({"limit": 3}).data]
    assert kinds == ["payout.reconciliation_completed", "payout.paid", "payout.created"]
    rest = control("POST", "payouts/pay", currency="usd", include_pending=True)
    assert rest["amount"] == 9680
    taken = api.balance_transactions.list({"payout": rest["id"], "type": "charge"}).data
    assert [entry.source for entry in taken] == [
        api.payment_intents.retrieve(waiting).latest_charge
    ]
    assert [found.id for found in api.payouts.list().data] == [rest["id"], payout["id"]]


def test_entries_are_found_by_what_they_are(api: stripe.V1Services, clock: Clock) -> None:
    pay(api, currency="eur")
    clock.now += 60
    intent = api.payment_intents.retrieve(pay(api))
    api.refunds.create({"payment_intent": intent.id})
    queries: list[tuple[Any, list[str]]] = [
        ({"source": intent.latest_charge}, ["charge"]),
        ({"type": "refund"}, ["refund"]),
        ({"currency": "usd"}, ["refund", "charge"]),
        ({"created": {"gte": int(clock.now)}}, ["refund", "charge"]),
    ]
    for query, kinds in queries:
        assert [entry.type for entry in api.balance_transactions.list(query).data] == kinds


def test_nothing_is_paid_out_of_nothing(sandbox: Sandbox, api: stripe.V1Services) -> None:
    assert sandbox.handle("POST", "/_control/payouts/pay", '{"currency": "usd"}').status == 400
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.payouts.create({"amount": 1, "currency": "usd"})
    assert refusal.value.code == "balance_insufficient"


def test_a_payout_by_hand_may_come_back(api: stripe.V1Services, control: Control) -> None:
    pay(api)
    first = api.payouts.create({"amount": 5000, "currency": "usd", "metadata": {"a": "b"}})
    assert (first.status, first.automatic, amounts(api)[0]) == ("in_transit", False, 4680)
    second = api.payouts.create({"amount": 4680, "currency": "usd"})

    control("POST", "payouts/settle", payout=first.id, status="failed")
    control("POST", "payouts/settle", payout=second.id, status="paid")

    failed = api.payouts.retrieve(first.id)
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert amounts(api)[0] == 5000
    told = api.payouts.update(first.id, {"metadata": {"a": "c"}})
    assert told.to_dict()["metadata"] == {"a": "c"}
    with pytest.raises(stripe.InvalidRequestError, match="automatic"):
        api.balance_transactions.list({"payout": first.id})
    assert control("POST", "payouts/pay", currency="usd")["amount"] == 5000


def test_a_card_is_renewed_by_its_network(
    sandbox: Sandbox, *, api: stripe.V1Services, control: Control, visa: stripe.PaymentMethod
) -> None:
    control(
        "POST", "payment_methods/update",
        payment_method=visa.id, exp_month=3, exp_year=2031, last4="1111",
    )  # fmt: skip

    card = api.payment_methods.retrieve(visa.id).card
    assert card is not None
    assert (card.exp_month, card.exp_year, card.last4) == (3, 2031, "1111")
    event = api.events.list().data[0]
    assert event.type == "payment_method.automatically_updated"
    assert event.data.previous_attributes is not None
    assert event.data.previous_attributes["card"]["last4"] == "4242"
    unknown = json.dumps({"payment_method": "pm_0", "exp_month": 1, "exp_year": 2030})
    assert sandbox.handle("POST", "/_control/payment_methods/update", unknown).status == 400
