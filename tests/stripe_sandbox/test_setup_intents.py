"""A payment method saved for later."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox


def wish(customer: str, **more: Any) -> Any:
    return {"customer": customer, "payment_method_types": ["card"], **more}


def test_a_card_is_saved_to_its_customer(api: stripe.V1Services, alice: stripe.Customer) -> None:
    intent = api.setup_intents.create(wish(alice.id))
    assert (intent.status, intent.usage) == ("requires_payment_method", "off_session")

    done = api.setup_intents.confirm(intent.id, {"payment_method": "pm_card_mastercard"})

    assert done.status == "succeeded"
    saved = api.payment_methods.list({"customer": alice.id, "type": "card"}).data
    assert [method.id for method in saved] == [done.payment_method]
    attempt = api.setup_attempts.list({"setup_intent": intent.id}).data[0]
    assert (attempt.id, attempt.status) == (done.latest_attempt, "succeeded")


def test_a_refused_card_can_be_followed_by_another(
    api: stripe.V1Services, alice: stripe.Customer
) -> None:
    intent = api.setup_intents.create(wish(alice.id))

    with pytest.raises(stripe.CardError) as refusal:
        api.setup_intents.confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    error = refusal.value.error
    assert error is not None
    assert error.setup_intent is not None
    assert error.setup_intent.status == "requires_payment_method"
    assert error.setup_intent.last_setup_error is not None
    assert error.setup_intent.last_setup_error.decline_code == "generic_decline"

    done = api.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (done.status, done.last_setup_error) == ("succeeded", None)


def test_giving_up(api: stripe.V1Services, alice: stripe.Customer) -> None:
    intent = api.setup_intents.create(wish(alice.id))

    gone = api.setup_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert refusal.value.code == "setup_intent_unexpected_state"
    assert [found.id for found in api.setup_intents.list({"customer": alice.id}).data] == [gone.id]


def test_a_way_back_is_needed_where_methods_may_redirect(
    api: stripe.V1Services, alice: stripe.Customer
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        api.setup_intents.create(
            {"customer": alice.id, "payment_method": "pm_card_visa", "confirm": True}
        )


def test_named_and_automatic_methods_exclude_each_other(api: stripe.V1Services) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        api.setup_intents.create(
            {"payment_method_types": ["card"], "automatic_payment_methods": {"enabled": True}}
        )


@pytest.mark.parametrize(
    ("outcome", "status"), [("complete", "succeeded"), ("fail", "requires_payment_method")]
)
def test_a_challenge_decides(
    sandbox: Sandbox, *, api: stripe.V1Services, alice: stripe.Customer, outcome: str, status: str
) -> None:
    intent = api.setup_intents.create(
        wish(
            alice.id,
            payment_method="pm_card_authenticationRequired",
            confirm=True,
            return_url="http://shop/back?from=bank",
        )
    )
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    page = f"/3ds/{intent.id}"
    secret = f"secret={intent.client_secret}"

    assert sandbox.handle("GET", page, secret).status == 200
    assert sandbox.handle("GET", page, "secret=guessed").status == 410
    answer = sandbox.handle("POST", page, f"{secret}&outcome={outcome}")

    went = "succeeded" if outcome == "complete" else "failed"
    assert answer.status == 303
    assert answer.headers["Location"] == (
        f"http://shop/back?from=bank&setup_intent={intent.id}"
        f"&setup_intent_client_secret={intent.client_secret}&redirect_status={went}"
    )
    assert api.setup_intents.retrieve(intent.id).status == status
    assert sandbox.handle("POST", page, f"{secret}&outcome={outcome}").status == 410
