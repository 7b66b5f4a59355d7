"""What a PaymentIntent goes through."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import (
    challenges,
    charges,
    declines,
    delayed,
    disputes,
    kinds,
    methods,
)
from stripe_sandbox.payments.declines import Decline
from stripe_sandbox.payments.mandates import NO_LEAVE, Leave

_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_ALLOWED = {
    "confirm": _OPEN,
    "capture": ("requires_capture",),
    "cancel": (*_OPEN, "requires_capture", "processing"),
    "update": (*_OPEN, "requires_capture"),
}
_PAST = {
    "confirm": "confirmed", "capture": "captured", "cancel": "canceled", "update": "updated"
}  # fmt: skip


@dataclass(frozen=True)
class Manner:
    """How a confirmation is made."""

    off_session: bool = False
    fails_on_action: bool = False
    return_url: str | None = None
    challenged: bool = False
    leave: Leave = NO_LEAVE


def require(intent: Json, verb: str) -> None:
    """Refuse what an intent's status does not allow.

    :raises ApiError: `payment_intent_unexpected_state`.
    """
    allowed = _ALLOWED[verb]
    if intent["status"] not in allowed:
        raise errors.unexpected_state(
            "payment_intent",
            f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. "
            f"Only a PaymentIntent with one of the following statuses may be {_PAST[verb]}: "
            f"{', '.join(allowed)}.",
            intent,
        )


def confirm(call: Call, intent: Json, manner: Manner) -> Json:
    """Try to take the money.

    :raises CardError: if the card is refused; the failed charge stays on record.
    :raises ApiError: if the intent is past that, or has no payment method it may use.
    """
    require(intent, "confirm")
    if not intent["payment_method"]:
        raise errors.unexpected_state(
            "payment_intent",
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
            intent,
        )
    _require_way_back(intent, manner)
    method = methods.resolve(call, intent["payment_method"])
    methods.owned(call, method, intent["customer"])
    kinds.require_allowed(intent, method)
    if method["type"] != "card":
        return delayed.begin(call, intent, method, manner.leave)
    return _confirm_card(call, intent, method, manner)


def capture(call: Call, intent: Json, amount: int | None) -> Json:
    """Take what was reserved, or part of it.

    :raises ApiError: if nothing is reserved, or less than that.
    """
    require(intent, "capture")
    taken = intent["amount_capturable"] if amount is None else amount
    if taken > intent["amount_capturable"]:
        raise errors.ApiError(
            f"The amount to capture ({taken}) is greater than the amount that can be captured "
            f"({intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = call.fetch("charge", intent["latest_charge"], "latest_charge")
    charge = charges.capture(call, charge, taken)
    changes = {"status": "succeeded", "amount_received": taken, "amount_capturable": 0}
    changed = call.change(intent, changes, event="payment_intent.succeeded")
    method = call.fetch("payment_method", intent["payment_method"], "payment_method")
    _disputed(call, charge, method)
    return changed


def cancel(call: Call, intent: Json, reason: str | None) -> Json:
    """Give up an intent, releasing what it reserved.

    :raises ApiError: if it is over already.
    """
    require(intent, "cancel")
    if intent["status"] == "requires_capture":
        charges.release(call, call.fetch("charge", intent["latest_charge"], "latest_charge"))
    elif intent["status"] == "processing":
        delayed.drop(call, intent)
    changes = {
        "status": "canceled",
        "amount_capturable": 0,
        "canceled_at": call.now(intent["customer"]),
        "cancellation_reason": reason,
        "next_action": None,
    }
    return call.change(intent, changes, event="payment_intent.canceled")


def fail_challenge(call: Call, intent: Json) -> Json:
    """Record that the holder did not prove themselves."""
    method = call.fetch("payment_method", intent["payment_method"], "payment_method")
    told = {
        "code": "payment_intent_authentication_failure",
        "message": "The provided PaymentMethod has failed authentication. You can provide "
        "payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent "
        "again.",
        "payment_method": method,
        "type": "invalid_request_error",
    }
    changes = {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_payment_error": told,
    }
    return call.change(intent, changes, event="payment_intent.payment_failed")


def _confirm_card(call: Call, intent: Json, method: Json, manner: Manner) -> Json:
    card = methods.card_of(call, method)
    if card.at_once:
        raise _failed(call, intent, method, card.at_once)
    if not manner.challenged and challenges.needed(call, method, off_session=manner.off_session):
        return _challenged(call, intent, method, manner)
    if card.when_charged:
        raise _failed(call, intent, method, card.when_charged)
    return _charged(call, intent, method, manner)


def _charged(call: Call, intent: Json, method: Json, manner: Manner) -> Json:
    captured = intent["capture_method"] != "manual"
    charge = charges.succeed(call, intent, method, captured=captured, challenged=manner.challenged)
    methods.used(call, intent, method)
    changes = {
        "status": "succeeded" if captured else "requires_capture",
        "amount_received": intent["amount"] if captured else 0,
        "amount_capturable": 0 if captured else intent["amount"],
        "latest_charge": charge["id"],
        "last_payment_error": None,
        "next_action": None,
        "payment_method": method["id"],
    }
    event = "succeeded" if captured else "amount_capturable_updated"
    changed = call.change(intent, changes, event=f"payment_intent.{event}")
    if captured:
        _disputed(call, charge, method)
    return changed


def _disputed(call: Call, charge: Json, method: Json) -> None:
    """Open at once the dispute that a card stands for."""
    reason = methods.card_of(call, method).disputed
    if reason == "inquiry":
        disputes.open_one(call, charge, reason="fraudulent", inquiry=True)
    elif reason:
        disputes.open_one(call, charge, reason=reason)


def _challenged(call: Call, intent: Json, method: Json, manner: Manner) -> Json:
    if manner.off_session or manner.fails_on_action:
        raise _failed(call, intent, method, declines.AUTHENTICATION_REQUIRED)
    changes = {
        "status": "requires_action",
        "payment_method": method["id"],
        "next_action": challenges.next_action(call, intent, manner.return_url),
    }
    return call.change(intent, changes, event="payment_intent.requires_action")


def _failed(call: Call, intent: Json, method: Json, decline: Decline) -> errors.CardError:
    charge = charges.fail(call, intent, method, decline)
    error = methods.refusal(decline, charge=charge["id"], payment_method=method)
    changes = {
        "status": "requires_payment_method",
        "latest_charge": charge["id"],
        "last_payment_error": error.body()["error"],
        "next_action": None,
        "payment_method": None,
    }
    failed = call.change(intent, changes, event="payment_intent.payment_failed")
    return methods.refusal(
        decline, charge=charge["id"], payment_intent=failed, payment_method=method
    )


def _require_way_back(intent: Json, manner: Manner) -> None:
    """Refuse what Stripe does: methods that may redirect, and nowhere to return to."""
    automatic = intent["automatic_payment_methods"]
    if manner.challenged or not automatic or automatic["allow_redirects"] == "never":
        return
    if not manner.return_url:
        raise errors.ApiError(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "
            "Because some of these payment methods might redirect your customer off of your page, "
            "you must provide a `return_url`. If you don't want to accept redirect-based payment "
            "methods, set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents "
            "and Payment Intents."
        )
