"""SetupIntents: a payment method saved for later."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.payments import kinds, mandates, setup_intents
from stripe_sandbox.payments.automatic import chosen_types
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed

_NOT_YET = ("confirmation_token",)


@operation("POST", "/v1/setup_intents")
def create(call: Call) -> Json:
    """Create an intent, and confirm it if asked to."""
    errors.not_yet(call.params, _NOT_YET)
    if "customer" in call.params:
        call.fetch("customer", call.params["customer"], "customer")
    intent_id = ids.new("seti")
    body = {
        "id": intent_id,
        "client_secret": ids.client_secret(intent_id),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "usage": "off_session",
        **carried("setup_intent", call.params),
        **chosen_types(call.params),
        "status": "requires_payment_method",
    }
    _require_kinds(body)
    body |= kinds.chosen(call, call.params, body)
    intent = call.create("setup_intent", body, event="setup_intent.created")
    if call.params.get("confirm"):
        return _confirmed(call, intent)
    return intent


@operation("GET", "/v1/setup_intents/{intent}")
def retrieve(call: Call) -> Json:
    """Return an intent."""
    return call.target("setup_intent")


@operation("POST", "/v1/setup_intents/{intent}")
def update(call: Call) -> Json:
    """Change an intent that is still open."""
    errors.not_yet(call.params, _NOT_YET)
    before = call.target("setup_intent")
    setup_intents.require(before, "update", "updated")
    changes = merged(before, call.params)
    changes |= kinds.chosen(call, call.params, before | changes)
    return call.change(before, changes)


@operation("POST", "/v1/setup_intents/{intent}/confirm")
def confirm(call: Call) -> Json:
    """Save the payment method."""
    errors.not_yet(call.params, _NOT_YET)
    intent = call.target("setup_intent")
    if "payment_method" in call.params or "payment_method_data" in call.params:
        setup_intents.require(intent, "confirm", "confirmed")
        intent = call.change(intent, kinds.chosen(call, call.params, intent))
    return _confirmed(call, intent)


@operation("POST", "/v1/setup_intents/{intent}/cancel")
def cancel(call: Call) -> Json:
    """Give an intent up."""
    intent = call.target("setup_intent")
    return setup_intents.cancel(call, intent, call.params.get("cancellation_reason"))


@operation("GET", "/v1/setup_intents")
def list_all(call: Call) -> Json:
    """Return intents, newest first."""
    return listed(call.state.objects, "setup_intent", call.params, url=call.path)


@operation("GET", "/v1/setup_attempts")
def list_attempts(call: Call) -> Json:
    """Return the tries of one intent."""
    return listed(call.state.objects, "setup_attempt", call.params, url=call.path)


def _confirmed(call: Call, intent: Json) -> Json:
    return setup_intents.confirm(
        call,
        intent,
        return_url=call.params.get("return_url"),
        leave=mandates.leave_in(call.params),
    )


def _require_kinds(intent: Json) -> None:
    if "pix" in intent["payment_method_types"]:
        raise errors.ApiError(
            "This stand-in has no Pix Automático: pix is for one payment.",
            param="payment_method_types",
        )
