"""Products, and the features that come with them."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.resources import prices
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("POST", "/v1/products")
def create(call: Call) -> Json:
    """Create a product, and its default price if one is described."""
    body = {
        "id": ids.short("prod"),
        "active": True,
        "type": "service",
        "updated": call.now(),
        **carried("product", call.params),
    }
    if call.state.objects.find(body["id"]):
        raise errors.ApiError("Product already exists.", code="resource_already_exists", param="id")
    product = call.create("product", body, event="product.created")
    wanted = call.params.get("default_price_data")
    if wanted is None:
        return product
    price = prices.make(call, wanted | {"product": product["id"]})
    return call.change(product, {"default_price": price["id"]}, event="product.updated")


@operation("GET", "/v1/products/{id}")
def retrieve(call: Call) -> Json:
    """Return a product."""
    return call.target("product")


@operation("POST", "/v1/products/{id}")
def update(call: Call) -> Json:
    """Change a product."""
    before = call.target("product")
    changes = merged(before, call.params)
    if changes.get("default_price"):
        call.fetch("price", changes["default_price"], "default_price")
    changed = any(before[name] != value for name, value in changes.items())
    stamped = changes | {"updated": call.now()} if changed else changes
    return call.change(before, stamped, event="product.updated")


@operation("DELETE", "/v1/products/{id}")
def delete(call: Call) -> Json:
    """Delete a product that has no prices."""
    product = call.target("product")
    if listed(call.state.objects, "price", {"product": product["id"]}, url="")["data"]:
        raise errors.ApiError(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    return call.remove(product, event="product.deleted")


@operation("GET", "/v1/products")
def list_all(call: Call) -> Json:
    """Return products, newest first."""
    return listed(call.state.objects, "product", call.params, url=call.path)
