"""One payment, from asking for it to having it."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from tests.stripe_sandbox.browser import visit


def wish(customer: str | None = None, **more: Any) -> Any:
    named = {"customer": customer} if customer else {}
    return {"amount": 1250, "currency": "usd", "payment_method_types": ["card"], **named, **more}


def test_step_by_step(
    api: stripe.V1Services, alice: stripe.Customer, visa: stripe.PaymentMethod
) -> None:
    intent = api.payment_intents.create(wish(alice.id, metadata={"invoice": "7"}))
    assert intent.status == "requires_payment_method"
    assert str(intent.client_secret).startswith(f"{intent.id}_secret_")

    intent = api.payment_intents.update(intent.id, {"payment_method": visa.id, "amount": 2000})
    assert (intent.status, intent.amount) == ("requires_confirmation", 2000)

    intent = api.payment_intents.confirm(intent.id, {"off_session": True})
    assert (intent.status, intent.amount_received) == ("succeeded", 2000)

    charge = api.charges.retrieve(str(intent.latest_charge))
    assert (charge.amount, charge.paid, charge.captured) == (2000, True, True)
    assert charge.to_dict()["metadata"] == {"invoice": "7"}
    assert (charge.customer, charge.payment_method) == (alice.id, visa.id)
    entry = api.balance_transactions.retrieve(str(charge.balance_transaction))
    assert (entry.amount, entry.fee, entry.net, entry.source) == (2000, 88, 1912, charge.id)
    assert [detail.type for detail in entry.fee_details] == ["stripe_fee"]


def test_a_failed_intent_can_be_paid_with_another_card(
    api: stripe.V1Services, alice: stripe.Customer
) -> None:
    intent = api.payment_intents.create(wish(alice.id))
    with pytest.raises(stripe.CardError):
        api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})

    paid = api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    charges = api.charges.list({"payment_intent": intent.id}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (29, "gbp", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (0, "usd", "parameter_invalid_integer"),
        (-5, "usd", "parameter_invalid_integer"),
        (100_000_000, "usd", "amount_too_large"),
    ],
)
def test_an_amount_has_bounds(
    api: stripe.V1Services, amount: int, currency: str, code: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.payment_intents.create(wish(amount=amount, currency=currency))

    assert (refusal.value.code, refusal.value.param) == (code, "amount")


@pytest.mark.parametrize(("amount", "currency"), [(50, "usd"), (50, "jpy"), (1000, "kwd")])
def test_amounts_are_counted_in_the_smallest_unit(
    api: stripe.V1Services, amount: int, currency: str
) -> None:
    paid = api.payment_intents.create(
        wish(amount=amount, currency=currency, payment_method="pm_card_visa", confirm=True)
    )

    assert (paid.amount_received, paid.currency) == (amount, currency)


def test_reserving_and_taking_part(api: stripe.V1Services, alice: stripe.Customer) -> None:
    held = api.payment_intents.create(
        wish(alice.id, payment_method="pm_card_visa", confirm=True, capture_method="manual")
    )
    assert (held.status, held.amount_capturable) == ("requires_capture", 1250)
    assert api.charges.retrieve(str(held.latest_charge)).captured is False

    with pytest.raises(stripe.InvalidRequestError, match="greater than"):
        api.payment_intents.capture(held.id, {"amount_to_capture": 1251})
    taken = api.payment_intents.capture(held.id, {"amount_to_capture": 1000})

    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 1000, 0)
    charge = api.charges.retrieve(str(held.latest_charge), {"expand": ["balance_transaction"]})
    assert (charge.amount_captured, charge.amount_refunded) == (1000, 250)
    assert charge["balance_transaction"]["amount"] == 1000


def test_reserving_and_letting_go(api: stripe.V1Services) -> None:
    held = api.payment_intents.create(
        wish(payment_method="pm_card_visa", confirm=True, capture_method="manual")
    )

    gone = api.payment_intents.cancel(held.id, {"cancellation_reason": "abandoned"})

    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    assert gone.canceled_at is not None
    assert api.charges.retrieve(str(held.latest_charge)).refunded is True


@pytest.mark.parametrize("verb", ["confirm", "capture", "cancel"])
def test_what_is_over_is_over(api: stripe.V1Services, verb: str) -> None:
    paid = api.payment_intents.create(wish(payment_method="pm_card_visa", confirm=True))

    with pytest.raises(stripe.InvalidRequestError, match=f"You cannot {verb} this") as refusal:
        getattr(api.payment_intents, verb)(paid.id)

    assert refusal.value.http_status == 400
    assert refusal.value.code == "payment_intent_unexpected_state"
    assert refusal.value.error is not None
    assert refusal.value.error.payment_intent is not None
    assert refusal.value.error.payment_intent.status == "succeeded"


def test_a_paid_intent_keeps_its_amount_but_may_be_described(api: stripe.V1Services) -> None:
    paid = api.payment_intents.create(wish(payment_method="pm_card_visa", confirm=True))

    with pytest.raises(stripe.InvalidRequestError, match="You cannot update"):
        api.payment_intents.update(paid.id, {"amount": 5000})
    told = api.payment_intents.update(paid.id, {"metadata": {"seen": "yes"}})

    assert told.to_dict()["metadata"] == {"seen": "yes"}


def test_confirming_needs_a_payment_method(api: stripe.V1Services) -> None:
    intent = api.payment_intents.create(wish())

    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        api.payment_intents.confirm(intent.id)


def test_methods_that_may_redirect_need_a_way_back(api: stripe.V1Services) -> None:
    wanted: Any = {
        "amount": 100,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
    }
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        api.payment_intents.create(wanted)

    never = {"enabled": True, "allow_redirects": "never"}
    for more in ({"return_url": "http://shop/back"}, {"automatic_payment_methods": never}):
        full: Any = wanted | more
        assert api.payment_intents.create(full).status == "succeeded"


def test_what_makes_sense_only_confirming_is_refused_otherwise(api: stripe.V1Services) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="`off_session` can only be provided"):
        api.payment_intents.create(wish(off_session=True))


def test_nobody_pays_with_anothers_card(api: stripe.V1Services, visa: stripe.PaymentMethod) -> None:
    bob = api.customers.create({})

    for customer in (bob.id, None):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            api.payment_intents.create(wish(customer, payment_method=visa.id, confirm=True))
        assert refusal.value.param == "payment_method"
    assert api.payment_intents.list().data == []


def test_a_card_used_once_without_a_customer_is_used_up(api: stripe.V1Services) -> None:
    once = api.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    api.payment_intents.create(wish(payment_method=once.id, confirm=True))

    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        api.payment_intents.create(wish(payment_method=once.id, confirm=True))


def test_paying_may_save_the_card(api: stripe.V1Services, alice: stripe.Customer) -> None:
    paid = api.payment_intents.create(
        wish(
            alice.id,
            payment_method="pm_card_visa",
            confirm=True,
            setup_future_usage="off_session",
        )
    )

    saved = api.customers.payment_methods.list(alice.id).data
    assert [method.id for method in saved] == [paid.payment_method]


def test_off_session_a_challenge_is_a_decline(
    api: stripe.V1Services, alice: stripe.Customer
) -> None:
    saved = api.payment_methods.attach("pm_card_authenticationRequired", {"customer": alice.id})

    with pytest.raises(stripe.CardError) as refusal:
        api.payment_intents.create(
            wish(alice.id, payment_method=saved.id, off_session=True, confirm=True)
        )

    assert refusal.value.code == "authentication_required"
    error = refusal.value.error
    assert error is not None
    assert error.decline_code == "authentication_required"
    assert error.payment_intent is not None
    assert error.payment_intent.status == "requires_payment_method"
    assert error.payment_method is not None
    assert error.payment_method.id == saved.id


def test_on_session_a_challenge_is_an_action(
    api: stripe.V1Services, alice: stripe.Customer
) -> None:
    def pay(**more: Any) -> stripe.PaymentIntent:
        wanted = {"payment_method": "pm_card_threeDSecure2Required", "confirm": True, **more}
        return api.payment_intents.create(wish(alice.id, **wanted))

    redirected = pay(return_url="http://shop/back")
    scripted = pay()
    with pytest.raises(stripe.CardError):
        pay(error_on_requires_action=True)

    assert redirected.status == scripted.status == "requires_action"
    assert redirected.next_action is not None
    assert redirected.next_action.redirect_to_url is not None
    assert redirected.next_action.redirect_to_url.return_url == "http://shop/back"
    assert scripted.next_action is not None
    assert scripted.next_action.type == "use_stripe_sdk"
    assert api.charges.list().data[0].status == "failed"


@pytest.mark.parametrize(
    ("method", "after_set_up"),
    [
        ("pm_card_authenticationRequiredOnSetup", "succeeded"),
        ("pm_card_authenticationRequiredSetupForOffSession", "succeeded"),
        ("pm_card_authenticationRequired", "authentication_required"),
    ],
)
def test_a_card_set_up_before_may_pay_off_session(
    sandbox: Any, *, api: stripe.V1Services, alice: stripe.Customer, method: str, after_set_up: str
) -> None:
    setup = api.setup_intents.create(
        {
            "customer": alice.id,
            "payment_method": method,
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )
    assert setup.status == "requires_action"
    sandbox.handle("POST", f"/3ds/{setup.id}", f"secret={setup.client_secret}&outcome=complete")

    try:
        outcome = api.payment_intents.create(
            wish(alice.id, payment_method=setup.payment_method, off_session=True, confirm=True)
        ).status
    except stripe.CardError as refusal:
        outcome = str(refusal.code)

    assert outcome == after_set_up


@pytest.mark.parametrize(
    ("button", "status", "outcome", "event"),
    [
        ("Complete authentication", "succeeded", "succeeded", "payment_intent.succeeded"),
        (
            "Fail authentication",
            "requires_payment_method",
            "failed",
            "payment_intent.payment_failed",
        ),
    ],
)
def test_a_challenge_off_session_is_answered_later(
    *, remote: stripe.V1Services, button: str, status: str, outcome: str, event: str
) -> None:
    alice = remote.customers.create({})
    card = remote.payment_methods.attach("pm_card_authenticationRequired", {"customer": alice.id})
    wanted = wish(alice.id, payment_method=card.id, off_session=True, confirm=True)
    with pytest.raises(stripe.CardError) as refusal:
        remote.payment_intents.create(wanted)
    assert refusal.value.error is not None
    assert refusal.value.error.payment_intent is not None
    declined = refusal.value.error.payment_intent.id

    asked = remote.payment_intents.confirm(
        declined, {"payment_method": card.id, "return_url": "http://shop.test/back?i=7"}
    )
    assert asked.status == "requires_action"
    assert remote.events.list().data[0].type == "payment_intent.requires_action"
    action = asked.to_dict()["next_action"]
    assert action["type"] == "redirect_to_url"
    back = visit(action["redirect_to_url"]["url"]).send(button)

    assert back.status == 303
    assert back.location == (
        f"http://shop.test/back?i=7&payment_intent={declined}"
        f"&payment_intent_client_secret={asked.client_secret}&redirect_status={outcome}"
    )
    ended = remote.payment_intents.retrieve(
        declined, {"expand": ["latest_charge.balance_transaction"]}
    )
    assert ended.status == status
    assert remote.events.list().data[0].type == event
    booked = ended["latest_charge"]["balance_transaction"]
    assert (booked["net"] if booked else None) == (1184 if outcome == "succeeded" else None)


def test_a_challenged_payment_can_be_called_off_at_any_point(
    sandbox: Sandbox, *, api: stripe.V1Services, alice: stripe.Customer
) -> None:
    card = api.payment_methods.attach("pm_card_authenticationRequired", {"customer": alice.id})
    again: Any = {"payment_method": card.id, "return_url": "http://shop.test/back"}
    for challenged, failed in ((False, False), (True, False), (True, True)):
        with pytest.raises(stripe.CardError) as refusal:
            api.payment_intents.create(
                wish(alice.id, payment_method=card.id, off_session=True, confirm=True)
            )
        told: Any = refusal.value.json_body
        intent = told["error"]["payment_intent"]
        page = (f"/3ds/{intent['id']}", f"secret={intent['client_secret']}")
        if challenged:
            api.payment_intents.confirm(intent["id"], again)
        if failed:
            sandbox.handle("POST", page[0], f"{page[1]}&outcome=fail")

        gone = api.payment_intents.cancel(intent["id"])

        assert (gone.status, gone.next_action) == ("canceled", None)
        assert sandbox.handle("GET", *page).status == 410
        assert sandbox.handle("POST", page[0], f"{page[1]}&outcome=complete").status == 410
        with pytest.raises(stripe.InvalidRequestError) as over:
            api.payment_intents.confirm(intent["id"], again)
        assert over.value.code == "payment_intent_unexpected_state"
        assert api.payment_intents.retrieve(intent["id"]).status == "canceled"
