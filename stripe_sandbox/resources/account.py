"""The account everything happens in."""

from __future__ import annotations

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.routes import operation
from stripe_sandbox.sdk import shapes


@operation("GET", "/v1/account")
def retrieve_current(call: Call) -> Json:
    """Return the account of the key."""
    return shapes.complete(
        "account",
        {
            "id": call.state.account_id,
            "business_profile": {"name": "Stand-in for Stripe"},
            "business_type": "company",
            "capabilities": {"card_payments": "active", "transfers": "active"},
            "charges_enabled": True,
            "controller": {"type": "account"},
            "country": "US",
            "default_currency": "usd",
            "details_submitted": True,
            "payouts_enabled": True,
            "settings": {"dashboard": {"display_name": "Stand-in", "timezone": "Etc/UTC"}},
            "type": "standard",
        },
    )


@operation("GET", "/v1/accounts/{account}")
def retrieve(call: Call) -> Json:
    """Return the account by its id."""
    if call.args["account"] != call.state.account_id:
        raise errors.no_such("account", call.args["account"], "account", status=404)
    return retrieve_current(call)
