"""Payouts."""

from __future__ import annotations

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.payments import payouts
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("POST", "/v1/payouts")
def create(call: Call) -> Json:
    """Send money to the account's bank."""
    errors.not_yet(call.params, ("destination",))
    fields = carried(payouts.KIND, call.params)
    return payouts.create(call, fields | {"currency": call.params["currency"].lower()})


@operation("GET", "/v1/payouts/{payout}")
def retrieve(call: Call) -> Json:
    """Return a payout."""
    return call.target(payouts.KIND)


@operation("POST", "/v1/payouts/{payout}")
def update(call: Call) -> Json:
    """Change a payout's metadata."""
    before = call.target(payouts.KIND)
    return call.change(before, merged(before, call.params), event="payout.updated")


@operation("GET", "/v1/payouts")
def list_all(call: Call) -> Json:
    """Return payouts, newest first."""
    return listed(call.state.objects, payouts.KIND, call.params, url=call.path)
