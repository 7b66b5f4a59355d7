"""PaymentIntents: one payment, from asking for it to having it."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.payments import delayed, kinds, mandates, money, payment_intents
from stripe_sandbox.payments.automatic import chosen_types
from stripe_sandbox.payments.payment_intents import Manner
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed

_NOT_YET = ("confirmation_token",)
_ONLY_WHEN_CONFIRMING = ("off_session", "return_url", "error_on_requires_action", "use_stripe_sdk")


@operation("POST", "/v1/payment_intents")
def create(call: Call) -> Json:
    """Create an intent, and confirm it if asked to."""
    errors.not_yet(call.params, _NOT_YET)
    _check_parties(call)
    body = _new(call)
    kinds.require_currency(body["payment_method_types"], body["currency"])
    body |= kinds.chosen(call, call.params, body)
    intent = call.create("payment_intent", body, event="payment_intent.created")
    if call.params.get("confirm"):
        return payment_intents.confirm(call, intent, _manner(call))
    return intent


@operation("GET", "/v1/payment_intents/{intent}")
def retrieve(call: Call) -> Json:
    """Return an intent as it is now."""
    return _target(call)


@operation("POST", "/v1/payment_intents/{intent}")
def update(call: Call) -> Json:
    """Change an intent; once it is over, only how it is described."""
    errors.not_yet(call.params, _NOT_YET)
    before = _target(call)
    if not call.params.keys() <= {"metadata", "description", "receipt_email"}:
        payment_intents.require(before, "update")
    changes = merged(before, call.params)
    after = before | changes
    money.require_chargeable(after["amount"], after["currency"])
    kinds.require_currency(after["payment_method_types"], after["currency"])
    changes |= kinds.chosen(call, call.params, after)
    return call.change(before, changes)


@operation("POST", "/v1/payment_intents/{intent}/confirm")
def confirm(call: Call) -> Json:
    """Take the money."""
    errors.not_yet(call.params, _NOT_YET)
    before = _target(call)
    payment_intents.require(before, "confirm")
    changes = merged(before, call.params)
    changes |= kinds.chosen(call, call.params, before | changes)
    return payment_intents.confirm(call, call.change(before, changes), _manner(call))


@operation("POST", "/v1/payment_intents/{intent}/capture")
def capture(call: Call) -> Json:
    """Take what was reserved."""
    intent = _target(call)
    return payment_intents.capture(call, intent, call.params.get("amount_to_capture"))


@operation("POST", "/v1/payment_intents/{intent}/cancel")
def cancel(call: Call) -> Json:
    """Give an intent up."""
    intent = _target(call)
    return payment_intents.cancel(call, intent, call.params.get("cancellation_reason"))


@operation("GET", "/v1/payment_intents")
def list_all(call: Call) -> Json:
    """Return intents, newest first."""
    for intent in delayed.under_way(call):
        delayed.current(call, intent)
    return listed(call.state.objects, "payment_intent", call.params, url=call.path)


def _new(call: Call) -> Json:
    intent_id = ids.new("pi")
    return {
        "id": intent_id,
        "amount_details": {"tip": {}},
        "capture_method": "automatic_async",
        "client_secret": ids.client_secret(intent_id),
        "confirmation_method": "automatic",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        **carried("payment_intent", call.params),
        **chosen_types(call.params),
        "currency": call.params["currency"].lower(),
        "status": "requires_payment_method",
    }


def _check_parties(call: Call) -> None:
    """Refuse an amount or a customer that cannot be, and what makes sense only confirming."""
    money.require_chargeable(call.params["amount"], call.params["currency"].lower())
    if "customer" in call.params:
        call.fetch("customer", call.params["customer"], "customer")
    if not call.params.get("confirm"):
        for name in _ONLY_WHEN_CONFIRMING:
            if name in call.params:
                raise errors.ApiError(
                    f"`{name}` can only be provided when `confirm` is set to `true`.", param=name
                )


def _target(call: Call) -> Json:
    return delayed.current(call, call.target("payment_intent"))


def _manner(call: Call) -> Manner:
    """Read how a confirmation is made; `off_session` may also be a word, and is then true."""
    return Manner(
        leave=mandates.leave_in(call.params),
        off_session=bool(call.params.get("off_session")),
        fails_on_action=bool(call.params.get("error_on_requires_action")),
        return_url=call.params.get("return_url"),
    )
