"""Entries of the balance."""

from __future__ import annotations

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import balance
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("GET", "/v1/balance_transactions/{id}")
def retrieve(call: Call) -> Json:
    """Return one entry."""
    balance.settle_due(call.state)
    return call.target(balance.KIND)


@operation("GET", "/v1/balance_transactions")
def list_all(call: Call) -> Json:
    """Return the entries, newest first; those of an automatic payout if one is named."""
    balance.settle_due(call.state)
    where: list[tuple[str, object]] = []
    if "payout" in call.params:
        payout = call.fetch("payout", call.params["payout"], "payout")
        if not payout["automatic"]:
            raise errors.ApiError(
                "Balance transaction history can only be filtered on automatic payouts, not "
                "manual.",
                param="payout",
            )
        where.append(("json_extract(notes, '$.payout') = ?", payout["id"]))
    return listed(
        call.state.objects,
        balance.KIND,
        call.params,
        url=call.path,
        where=where,
        ignore=frozenset({"payout"}),
    )
