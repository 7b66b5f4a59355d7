"""Refunds."""

from __future__ import annotations

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.payments import refunds
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed

_NOT_CARRIED = ("amount", "charge", "payment_intent", "currency", "customer")


@operation("POST", "/v1/refunds")
def create(call: Call) -> Json:
    """Give back a charge, named itself or by its intent."""
    kept = carried("refund", call.params, drop=_NOT_CARRIED)
    return refunds.create(call, _charge(call), call.params.get("amount"), kept)


@operation("GET", "/v1/refunds/{refund}")
def retrieve(call: Call) -> Json:
    """Return a refund."""
    return call.target("refund")


@operation("POST", "/v1/refunds/{refund}")
def update(call: Call) -> Json:
    """Change a refund's metadata."""
    before = call.target("refund")
    return call.change(before, merged(before, call.params), event="refund.updated")


@operation("GET", "/v1/refunds")
def list_all(call: Call) -> Json:
    """Return refunds, newest first."""
    return listed(call.state.objects, "refund", call.params, url=call.path)


def _charge(call: Call) -> Json:
    if "charge" in call.params:
        return call.fetch("charge", call.params["charge"], "charge")
    if "payment_intent" not in call.params:
        raise errors.ApiError(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
        )
    intent = call.fetch("payment_intent", call.params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise errors.ApiError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return call.fetch("charge", intent["latest_charge"], "payment_intent")
