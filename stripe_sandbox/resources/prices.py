"""Prices."""

from __future__ import annotations

from decimal import Decimal

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.routes import included, operation
from stripe_sandbox.wire.paging import listed

_AMOUNTS = ("unit_amount", "unit_amount_decimal", "custom_unit_amount")


@operation("POST", "/v1/prices")
def create(call: Call) -> Json:
    """Create a price of a product, which may be made on the way."""
    _release_lookup_key(call, call.params)
    return made(call, call.params)


@operation("GET", "/v1/prices/{price}")
def retrieve(call: Call) -> Json:
    """Return a price."""
    return call.target("price")


@operation("POST", "/v1/prices/{price}")
def update(call: Call) -> Json:
    """Change what may be changed of a price; never what it costs."""
    before = call.target("price")
    _release_lookup_key(call, call.params)
    return call.change(before, merged(before, call.params), event="price.updated")


@operation("GET", "/v1/prices")
def list_all(call: Call) -> Json:
    """Return prices, newest first."""
    return listed(call.state.objects, "price", call.params, url=call.path)


@included("price", "tiers")
def tiers(call: Call, price: Json) -> Json | None:
    """Return a price's tiers, which are told only when expanded."""
    found: Json | None = call.state.objects.notes(price["id"]).get("tiers")
    return found


def made(call: Call, given: Json) -> Json:
    """Create a price from parameters, and its product if that is described rather than named.

    :raises ApiError: if they do not say enough.
    """
    params = {**given}
    described = params.pop("product_data", None)
    if described is not None:
        params["product"] = _product(call, described)["id"]
    elif "product" in params:
        call.fetch("product", params["product"], "product")
    else:
        raise errors.missing("product")
    return make(call, params)


def make(call: Call, params: Json) -> Json:
    """Create a price from parameters whose product exists.

    :raises ApiError: if it does not say what it costs, or says it twice.
    """
    stepped = params.get("billing_scheme") == "tiered"
    given = [name for name in _AMOUNTS if name in params]
    if not stepped and len(given) != 1:
        raise errors.ApiError(
            "Prices require exactly one of unit_amount, unit_amount_decimal or "
            "custom_unit_amount, unless their billing_scheme is tiered.",
            code="parameter_missing" if not given else None,
            param="unit_amount",
        )
    if stepped and not (params.get("tiers") and params.get("tiers_mode")):
        raise errors.missing("tiers" if not params.get("tiers") else "tiers_mode")
    recurring = params.get("recurring")
    body = {
        "id": ids.new("price"),
        "active": True,
        "billing_scheme": "per_unit",
        "tax_behavior": "unspecified",
        **carried("price", params, drop=("tiers", "recurring")),
        "currency": params["currency"].lower(),
        "recurring": _recurring(recurring) if recurring else None,
        "type": "recurring" if recurring else "one_time",
        **_amount(params),
    }
    notes = {"tiers": [_tier(tier) for tier in params["tiers"]]} if stepped else None
    return call.create("price", body, event="price.created", notes=notes)


def _product(call: Call, made: Json) -> Json:
    body = {
        "id": ids.short("prod"),
        "active": True,
        "type": "service",
        "updated": call.now(),
        **carried("product", made),
    }
    return call.create("product", body, event="product.created")


def _recurring(given: Json) -> Json:
    return {"interval_count": 1, "usage_type": "licensed", **given}


def _amount(params: Json) -> Json:
    """Return an amount as a whole number where it is one, and always as a decimal."""
    if "unit_amount" in params:
        whole = params["unit_amount"]
        return {"unit_amount": whole, "unit_amount_decimal": str(whole)}
    if "unit_amount_decimal" in params:
        exact = Decimal(params["unit_amount_decimal"])
        rounds = exact == exact.to_integral_value()
        return {
            "unit_amount": int(exact) if rounds else None,
            "unit_amount_decimal": f"{exact.normalize():f}",
        }
    return {"unit_amount": None, "unit_amount_decimal": None}


def _tier(given: Json) -> Json:
    amounts: Json = {}
    for name in ("flat_amount", "unit_amount"):
        decimal = given.get(f"{name}_decimal", given.get(name))
        amounts[name] = given.get(name)
        amounts[f"{name}_decimal"] = None if decimal is None else str(decimal)
    limit = given["up_to"]
    return amounts | {"up_to": None if limit == "inf" else limit}


def _release_lookup_key(call: Call, params: Json) -> None:
    """Take a lookup key from the price that has it, if that is allowed."""
    key = params.get("lookup_key")
    if not key:
        return
    holders = listed(call.state.objects, "price", {"lookup_key": key}, url=call.path)["data"]
    others = [price for price in holders if price["id"] != call.args.get("price")]
    if others and not params.get("transfer_lookup_key"):
        raise errors.ApiError(
            f"A price (`{others[0]['id']}`) already uses that lookup key. Set "
            "`transfer_lookup_key` to move it.",
            code="resource_already_exists",
            param="lookup_key",
        )
    for price in others:
        call.change(price, {"lookup_key": None}, event="price.updated")
