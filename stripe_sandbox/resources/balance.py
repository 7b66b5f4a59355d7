"""The balance: what is there, and what is on its way."""

from __future__ import annotations

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import balance
from stripe_sandbox.routes import operation
from stripe_sandbox.sdk import shapes


@operation("GET", "/v1/balance")
def retrieve(call: Call) -> Json:
    """Return what each currency comes to."""
    sums = balance.sums(call.state)
    currencies = sorted({currency for currency, _ in sums} | {"usd"})
    found = {
        status: [_amount(currency, sums.get((currency, status), 0)) for currency in currencies]
        for status in ("available", "pending")
    }
    body = shapes.complete("balance", {"livemode": False, **found})
    # The only object without an id.
    del body["id"]
    return body


def _amount(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
