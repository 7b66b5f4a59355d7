"""Charges, which intents make."""

from __future__ import annotations

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import merged
from stripe_sandbox.routes import included, operation
from stripe_sandbox.wire.paging import listed


@operation("GET", "/v1/charges/{charge}")
def retrieve(call: Call) -> Json:
    """Return a charge."""
    return call.target("charge")


@operation("POST", "/v1/charges/{charge}")
def update(call: Call) -> Json:
    """Change how a charge is described."""
    before = call.target("charge")
    return call.change(before, merged(before, call.params), event="charge.updated")


@operation("GET", "/v1/charges")
def list_all(call: Call) -> Json:
    """Return charges, newest first."""
    return listed(call.state.objects, "charge", call.params, url=call.path)


@included("charge", "refunds")
def refunds(call: Call, charge: Json) -> Json:
    """Return a charge's refunds, for whoever expands them."""
    url = f"/v1/charges/{charge['id']}/refunds"
    return listed(call.state.objects, "refund", {"charge": charge["id"]}, url=url)
