"""Test clocks: a time of their own for the customers made on them."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed

KIND = "test_helpers.test_clock"
_MONTH = 30 * 24 * 3600


@operation("POST", "/v1/test_helpers/test_clocks")
def create(call: Call) -> Json:
    """Create a clock that stands still until it is advanced."""
    body = {
        "id": ids.new("clock"),
        "deletes_after": call.now() + _MONTH,
        "status": "ready",
        **carried(KIND, call.params),
    }
    return call.create(KIND, body, event="test_helpers.test_clock.created")


@operation("GET", "/v1/test_helpers/test_clocks/{test_clock}")
def retrieve(call: Call) -> Json:
    """Return a clock; one that was advancing has arrived by now."""
    return arrive(call, call.target(KIND))


@operation("POST", "/v1/test_helpers/test_clocks/{test_clock}/advance")
def advance(call: Call) -> Json:
    """Set a clock forward; it is ready once everything in between has happened."""
    clock = arrive(call, call.target(KIND))
    wanted = call.params["frozen_time"]
    if wanted <= clock["frozen_time"]:
        raise errors.ApiError(
            "Test clocks can only be advanced to a time in the future of their frozen time.",
            param="frozen_time",
        )
    changes = {
        "frozen_time": wanted,
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": wanted}},
    }
    return call.change(clock, changes, event="test_helpers.test_clock.advancing")


@operation("DELETE", "/v1/test_helpers/test_clocks/{test_clock}")
def delete(call: Call) -> Json:
    """Delete a clock and every customer on it."""
    clock = call.target(KIND)
    while customers := listed(
        call.state.objects, "customer", {"test_clock": clock["id"], "limit": 100}, url=call.path
    )["data"]:
        for customer in customers:
            call.remove(customer)
    return call.remove(clock, event="test_helpers.test_clock.deleted")


@operation("GET", "/v1/test_helpers/test_clocks")
def list_all(call: Call) -> Json:
    """Return clocks, newest first."""
    return listed(call.state.objects, KIND, call.params, url=call.path)


def arrive(call: Call, clock: Json) -> Json:
    """Let an advancing clock be ready."""
    if clock["status"] != "advancing":
        return clock
    changes = {"status": "ready", "status_details": {}}
    return call.change(clock, changes, event="test_helpers.test_clock.ready")
