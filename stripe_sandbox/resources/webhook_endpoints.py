"""Webhook endpoints; each one's secret is told once, when it is made."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("POST", "/v1/webhook_endpoints")
def create(call: Call) -> Json:
    """Create an endpoint and tell its secret."""
    _require_url(call.params["url"])
    secret = f"whsec_{ids.word(32)}"
    body = {"id": ids.new("we"), "status": "enabled", **carried("webhook_endpoint", call.params)}
    endpoint = call.create("webhook_endpoint", body, notes={"secret": secret})
    return endpoint | {"secret": secret}


@operation("GET", "/v1/webhook_endpoints/{webhook_endpoint}")
def retrieve(call: Call) -> Json:
    """Return an endpoint."""
    return call.target("webhook_endpoint")


@operation("POST", "/v1/webhook_endpoints/{webhook_endpoint}")
def update(call: Call) -> Json:
    """Change an endpoint, or turn it off."""
    before = call.target("webhook_endpoint")
    changes = merged(before, call.params)
    _require_url((before | changes)["url"])
    if "disabled" in call.params:
        changes["status"] = "disabled" if call.params["disabled"] else "enabled"
    return call.change(before, changes)


@operation("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}")
def delete(call: Call) -> Json:
    """Delete an endpoint."""
    return call.remove(call.target("webhook_endpoint"))


@operation("GET", "/v1/webhook_endpoints")
def list_all(call: Call) -> Json:
    """Return endpoints, newest first."""
    return listed(call.state.objects, "webhook_endpoint", call.params, url=call.path)


def _require_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise errors.ApiError(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )
