"""Payment methods."""

from __future__ import annotations

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.payments import cards, methods
from stripe_sandbox.payments.methods import CardEntry
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("POST", "/v1/payment_methods")
def create(call: Call) -> Json:
    """Make a payment method of a card's number or of a test token."""
    kind = call.params.get("type") or ("card" if "card" in call.params else None)
    if kind is None:
        raise errors.missing("type")
    if kind != "card":
        raise errors.ApiError(
            f"This stand-in has cards only so far, and no '{kind}'.", param="type"
        )
    card = call.params.get("card")
    if card is None:
        raise errors.missing("card")
    kept = carried("payment_method", call.params, drop=("card", "customer"))
    if "token" in card:
        found = cards.by_id(card["token"])
        if found is None:
            raise errors.no_such("token", card["token"], "card[token]")
        return methods.create(call, found, kept)
    entry = _entry(card)
    expiry = {"exp_month": entry.exp_month, "exp_year": entry.exp_year}
    return methods.create(call, entry.test_card(call.now()), kept | expiry)


@operation("GET", "/v1/payment_methods/{payment_method}")
def retrieve(call: Call) -> Json:
    """Return a payment method; a ready-made id is one whether or not it was used."""
    if cards.by_id(call.args["payment_method"]):
        return methods.resolve(call, call.args["payment_method"])
    return call.target("payment_method")


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
    made = cards.by_id(call.args["payment_method"])
    method = methods.create(call, made) if made else call.target("payment_method")
    return methods.attach(call, method, customer)


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


def _entry(card: Json) -> CardEntry:
    for name in ("number", "exp_month", "exp_year"):
        if name not in card:
            raise errors.missing(f"card[{name}]")
    year = card["exp_year"]
    return CardEntry(
        card["number"], card["exp_month"], year + 2000 if year < 100 else year, card.get("cvc")
    )
