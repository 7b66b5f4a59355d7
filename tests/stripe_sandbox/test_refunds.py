"""Money given back."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.conftest import Control


def pay(api: stripe.V1Services, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    wish: Any = {
        "amount": 1000,
        "currency": "usd",
        "payment_method": method,
        "payment_method_types": ["card"],
        "confirm": True,
        **more,
    }
    return api.payment_intents.create(wish)


def test_a_payment_is_given_back_whole_or_in_parts(api: stripe.V1Services) -> None:
    paid = pay(api)
    charge = str(paid.latest_charge)

    part = api.refunds.create(
        {"payment_intent": paid.id, "amount": 300, "reason": "requested_by_customer"}
    )
    assert (part.amount, part.status, part.reason) == (300, "succeeded", "requested_by_customer")
    assert (part.charge, part.payment_intent) == (charge, paid.id)
    after = api.charges.retrieve(charge)
    assert (after.amount_refunded, after.refunded) == (300, False)

    rest = api.refunds.create({"charge": charge})
    assert rest.amount == 700
    assert api.charges.retrieve(charge).refunded is True
    assert len(api.refunds.list({"payment_intent": paid.id}).data) == 2
    entry = api.balance_transactions.retrieve(str(rest.balance_transaction))
    assert (entry.type, entry.amount, entry.fee, entry.net) == ("refund", -700, 0, -700)


def test_no_more_is_given_back_than_was_taken(api: stripe.V1Services) -> None:
    paid = pay(api)

    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as too_much:
        api.refunds.create({"payment_intent": paid.id, "amount": 1001})
    api.refunds.create({"payment_intent": paid.id})
    with pytest.raises(stripe.InvalidRequestError) as twice:
        api.refunds.create({"payment_intent": paid.id})

    assert too_much.value.param == "amount"
    assert twice.value.code == "charge_already_refunded"
    assert len(api.refunds.list().data) == 1


def test_only_what_was_taken_can_be_given_back(api: stripe.V1Services) -> None:
    held = pay(api, capture_method="manual")
    with pytest.raises(stripe.CardError):
        pay(api, "pm_card_chargeDeclined")
    failed = api.charges.list().data[0]

    for wish in ({"payment_intent": held.id}, {"charge": failed.id}, {}, {"charge": "ch_0"}):
        with pytest.raises(stripe.InvalidRequestError):
            api.refunds.create(wish)  # type: ignore[arg-type]
    with pytest.raises(stripe.InvalidRequestError, match="has not been captured"):
        api.refunds.create({"charge": str(held.latest_charge)})


def test_a_refund_may_fail_later(api: stripe.V1Services) -> None:
    paid = pay(api, "pm_card_refundFail")

    refund = api.refunds.create({"payment_intent": paid.id})

    assert (refund.status, refund.failure_reason) == ("failed", "expired_or_canceled_card")
    charge = api.charges.retrieve(str(paid.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    types = [event.type for event in api.events.list({"limit": 4}).data]
    assert types == ["refund.failed", "refund.updated", "charge.updated", "charge.refunded"]


def test_a_pending_refund_is_settled_by_hand(api: stripe.V1Services, control: Control) -> None:
    paid = pay(api, "pm_card_pendingRefund")
    refund = api.refunds.create({"payment_intent": paid.id})
    assert refund.status == "pending"

    control("POST", "refunds/settle", refund=refund.id, status="succeeded")

    assert api.refunds.retrieve(refund.id).status == "succeeded"


def test_a_refund_can_be_annotated(api: stripe.V1Services) -> None:
    refund = api.refunds.create({"payment_intent": pay(api).id})

    changed = api.refunds.update(refund.id, {"metadata": {"ticket": "5"}})

    assert changed.to_dict()["metadata"] == {"ticket": "5"}
