"""Payment tokens: a way of paying that may be charged."""

from __future__ import annotations

from paypal_sandbox import errors
from paypal_sandbox.call import Call, dig
from paypal_sandbox.links import vault_link
from paypal_sandbox.payments import vault
from paypal_sandbox.records import Find
from paypal_sandbox.resources.setup_tokens import customer_id
from paypal_sandbox.routes import VAULT_KEPT, Reply, operation, shown
from stripe_sandbox.bodies import Json

_PATH = "/v3/vault/payment-tokens"
_TOKEN = "/payment_source/token"  # noqa: S105 - a pointer into the body


@operation("POST", _PATH, kept=VAULT_KEPT, strict=True)
def create(call: Call) -> Reply:
    """Make a payment token of a setup token its owner agreed to."""
    given = dig(call.params, "payment_source", "token")
    if not isinstance(given, dict):
        raise errors.missing(_TOKEN)
    for name in ("id", "type"):
        if not isinstance(given.get(name), str):
            raise errors.missing(f"{_TOKEN}/{name}")
    if given["type"] != "SETUP_TOKEN":
        raise errors.not_a_choice(f"{_TOKEN}/type")
    token = vault.exchange(call.state, given["id"], customer_id(call.params))
    return Reply(201, made=(vault.TOKEN, token["id"]))


@operation("GET", _PATH)
def listed(call: Call) -> Reply:
    """List the payment tokens of a customer."""
    customer = call.query.get("customer_id")
    if not customer:
        raise errors.missing("customer_id", location="query")
    size = call.number("page_size", 5, most=100)
    page = call.number("page", 1, most=100_000)
    wanted = Find(vault.TOKEN, owner=customer, limit=size, skip=(page - 1) * size)
    found = call.state.records.find(wanted)
    path = f"{_PATH}?customer_id={customer}&page={page}&page_size={size}"
    body: Json = {
        "customer": {"id": customer},
        "payment_tokens": [vault.show_token(call.state, token) for token in found],
        "links": [vault_link(call.base_url, "self", path)],
    }
    if call.query.get("total_required") == "true":
        total = call.state.records.count(wanted)
        body |= {"total_items": total, "total_pages": -(-total // size)}
    return Reply(body=body)


@operation("GET", _PATH + "/{id}")
def get(call: Call) -> Reply:
    """Show a payment token."""
    with call.state.database.transaction():
        return Reply(body=show(call, call.args["id"]))


@operation("DELETE", _PATH + "/{id}")
def delete(call: Call) -> Reply:
    """Delete a payment token; one that is not there is not there afterwards either."""
    vault.delete(call.state, call.args["id"])
    return Reply(204)


@shown(vault.TOKEN)
def show(call: Call, token_id: str) -> Json:
    """Show a payment token as it is now."""
    found = vault.token(call.state, token_id)
    if found is None:
        raise errors.not_found()
    return vault.show_token(call.state, found)
