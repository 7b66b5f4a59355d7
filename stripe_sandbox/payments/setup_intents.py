"""What a SetupIntent goes through."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import challenges, kinds, mandates, methods
from stripe_sandbox.payments.declines import Decline
from stripe_sandbox.payments.mandates import NO_LEAVE, Leave

_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def require(intent: Json, verb: str, past: str) -> None:
    """Refuse what is over already.

    :raises ApiError: `setup_intent_unexpected_state`.
    """
    if intent["status"] not in _OPEN:
        raise errors.unexpected_state(
            "setup_intent",
            f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}. "
            f"Only a SetupIntent with one of the following statuses may be {past}: "
            f"{', '.join(_OPEN)}.",
            intent,
        )


def confirm(
    call: Call,
    intent: Json,
    *,
    return_url: str | None,
    challenged: bool = False,
    leave: Leave = NO_LEAVE,
) -> Json:
    """Try to save the payment method for later.

    :raises CardError: if the card is refused.
    :raises ApiError: if the intent is past that, has no payment method it may use, or an
        account's holder gave no mandate.
    """
    require(intent, "confirm", "confirmed")
    if not intent["payment_method"]:
        raise errors.unexpected_state(
            "setup_intent",
            "You cannot confirm this SetupIntent because it's missing a payment method. Update "
            "the SetupIntent with a payment method and then confirm it again.",
            intent,
        )
    _require_way_back(intent, return_url, challenged=challenged)
    method = methods.resolve(call, intent["payment_method"])
    methods.owned(call, method, intent["customer"])
    kinds.require_allowed(intent, method)
    if method["type"] == "sepa_debit":
        mandate = mandates.required(call, intent, method, leave)
        return _saved(call, intent, method, mandate)
    card = methods.card_of(call, method)
    if card.at_once:
        raise _failed(call, intent, method, card.at_once)
    if not challenged and challenges.needed(call, method, off_session=False):
        return _challenged(call, intent, method, return_url)
    return _saved(call, intent, method)


def cancel(call: Call, intent: Json, reason: str | None) -> Json:
    """Give up an intent.

    :raises ApiError: if it is over already.
    """
    require(intent, "cancel", "canceled")
    changes = {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    return call.change(intent, changes, event="setup_intent.canceled")


def fail_challenge(call: Call, intent: Json) -> Json:
    """Record that the holder did not prove themselves."""
    method = call.fetch("payment_method", intent["payment_method"], "payment_method")
    told = {
        "code": "setup_intent_authentication_failure",
        "message": "The latest attempt to set up the payment method has failed because "
        "authentication failed.",
        "payment_method": method,
        "type": "invalid_request_error",
    }
    return _refused(call, intent, method, told)


def _saved(call: Call, intent: Json, method: Json, mandate: str | None = None) -> Json:
    call.state.objects.note(method["id"], set_up=True)
    if intent["customer"]:
        methods.attach(call, method, intent["customer"])
    changes = {
        "status": "succeeded",
        "last_setup_error": None,
        "latest_attempt": _attempt(call, intent, method, status="succeeded"),
        "mandate": mandate,
        "next_action": None,
        "payment_method": method["id"],
    }
    return call.change(intent, changes, event="setup_intent.succeeded")


def _challenged(call: Call, intent: Json, method: Json, return_url: str | None) -> Json:
    changes = {
        "status": "requires_action",
        "latest_attempt": _attempt(call, intent, method, status="requires_action"),
        "next_action": challenges.next_action(call, intent, return_url),
        "payment_method": method["id"],
    }
    return call.change(intent, changes, event="setup_intent.requires_action")


def _failed(call: Call, intent: Json, method: Json, decline: Decline) -> errors.CardError:
    told = methods.refusal(decline, payment_method=method).body()["error"]
    failed = _refused(call, intent, method, told)
    return methods.refusal(decline, payment_method=method, setup_intent=failed)


def _refused(call: Call, intent: Json, method: Json, told: Json) -> Json:
    changes = {
        "status": "requires_payment_method",
        "last_setup_error": told,
        "latest_attempt": _attempt(call, intent, method, status="failed", error=told),
        "next_action": None,
        "payment_method": None,
    }
    return call.change(intent, changes, event="setup_intent.setup_failed")


def _attempt(
    call: Call, intent: Json, method: Json, *, status: str, error: Json | None = None
) -> str:
    kind = method["type"]
    told = {"brand": method["card"]["brand"]} if kind == "card" else {}
    body = {
        "id": ids.new("setatt"),
        "customer": intent["customer"],
        "payment_method": method["id"],
        "payment_method_details": {"type": kind, kind: told},
        "setup_error": error,
        "setup_intent": intent["id"],
        "status": status,
        "usage": intent["usage"],
    }
    return str(call.create("setup_attempt", body)["id"])


def _require_way_back(intent: Json, return_url: str | None, *, challenged: bool) -> None:
    """Refuse what Stripe does: methods that may redirect, and nowhere to return to."""
    automatic = intent["automatic_payment_methods"]
    if challenged or not automatic or automatic["allow_redirects"] == "never" or return_url:
        return
    raise errors.ApiError(
        "This SetupIntent is configured to accept payment methods enabled in your Dashboard. "
        "Because some of these payment methods might redirect your customer off of your page, you "
        "must provide a `return_url`. If you don't want to accept redirect-based payment methods, "
        "set `automatic_payment_methods[enabled]` to `true` and "
        "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
        "Payment Intents."
    )
