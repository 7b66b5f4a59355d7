"""Payment methods."""

from __future__ import annotations

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import merged
from stripe_sandbox.payments import kinds, methods
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("POST", "/v1/payment_methods")
def create(call: Call) -> Json:
    """Make a payment method of a card, a bank account, or for one payment by Pix."""
    return kinds.made(call, call.params)


@operation("GET", "/v1/payment_methods/{payment_method}")
def retrieve(call: Call) -> Json:
    """Return a payment method; a ready-made id is one whether or not it was used."""
    return methods.ready_made(call, call.args["payment_method"]) or call.target("payment_method")


@operation("POST", "/v1/payment_methods/{payment_method}")
def update(call: Call) -> Json:
    """Change a payment method that belongs to a customer."""
    before = call.target("payment_method")
    if not before["customer"]:
        raise errors.ApiError(
            "You must save this PaymentMethod to a customer before you can update it.",
            code="payment_method_unexpected_state",
        )
    return call.change(before, merged(before, call.params), event="payment_method.updated")


@operation("POST", "/v1/payment_methods/{payment_method}/attach")
def attach(call: Call) -> Json:
    """Give a payment method to a customer."""
    customer = call.params.get("customer")
    if customer is None:
        raise errors.missing("customer")
    call.fetch("customer", customer, "customer")
    made = methods.ready_made(call, call.args["payment_method"])
    return methods.attach(call, made or call.target("payment_method"), customer)


@operation("POST", "/v1/payment_methods/{payment_method}/detach")
def detach(call: Call) -> Json:
    """Take a payment method from its customer for good."""
    return methods.detach(call, call.target("payment_method"))


@operation("GET", "/v1/payment_methods")
def list_all(call: Call) -> Json:
    """Return payment methods, of one customer if one is named."""
    if "customer" in call.params:
        call.fetch("customer", call.params["customer"], "customer")
    return listed(call.state.objects, "payment_method", call.params, url=call.path)
