"""Entries of the balance."""

from __future__ import annotations

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("GET", "/v1/balance_transactions/{id}")
def retrieve(call: Call) -> Json:
    """Return one entry."""
    return call.target("balance_transaction")


@operation("GET", "/v1/balance_transactions")
def list_all(call: Call) -> Json:
    """Return the entries, newest first."""
    return listed(call.state.objects, "balance_transaction", call.params, url=call.path)
