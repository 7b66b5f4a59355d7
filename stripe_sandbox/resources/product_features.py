"""Features, and which products they come with."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("POST", "/v1/entitlements/features")
def create(call: Call) -> Json:
    """Create a feature; no two have the same lookup key."""
    taken = listed(
        call.state.objects,
        "entitlements.feature",
        {"lookup_key": call.params["lookup_key"]},
        url=call.path,
    )
    if taken["data"]:
        raise errors.ApiError(
            "A feature with this lookup key exists already.",
            code="resource_already_exists",
            param="lookup_key",
        )
    body = {"id": ids.new("feat"), "active": True, **carried("entitlements.feature", call.params)}
    return call.create("entitlements.feature", body)


@operation("GET", "/v1/entitlements/features/{id}")
def retrieve(call: Call) -> Json:
    """Return a feature."""
    return call.target("entitlements.feature")


@operation("POST", "/v1/entitlements/features/{id}")
def update(call: Call) -> Json:
    """Change a feature."""
    before = call.target("entitlements.feature")
    return call.change(before, merged(before, call.params))


@operation("GET", "/v1/entitlements/features")
def list_all(call: Call) -> Json:
    """Return features, newest first."""
    archived = call.params.pop("archived", False)
    where = [("json_extract(body, '$.active') = ?", not archived)]
    return listed(
        call.state.objects, "entitlements.feature", call.params, url=call.path, where=where
    )


@operation("POST", "/v1/products/{product}/features")
def attach(call: Call) -> Json:
    """Let a feature come with a product."""
    product = call.target("product")
    feature = call.fetch(
        "entitlements.feature", call.params["entitlement_feature"], "entitlement_feature"
    )
    body = {"id": ids.new("prodft"), "entitlement_feature": feature}
    return call.create("product_feature", body, notes={"product": product["id"]})


@operation("GET", "/v1/products/{product}/features")
def list_attached(call: Call) -> Json:
    """Return the features of a product."""
    where = [("json_extract(notes, '$.product') = ?", call.target("product")["id"])]
    return listed(call.state.objects, "product_feature", call.params, url=call.path, where=where)


@operation("GET", "/v1/products/{product}/features/{id}")
def retrieve_attached(call: Call) -> Json:
    """Return one feature of a product."""
    return call.target("product_feature", "id")


@operation("DELETE", "/v1/products/{product}/features/{id}")
def detach(call: Call) -> Json:
    """Let a feature come with a product no longer."""
    return call.remove(call.target("product_feature", "id"))
