"""Events, for whoever missed the notification."""

from __future__ import annotations

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("GET", "/v1/events/{id}")
def retrieve(call: Call) -> Json:
    """Return an event."""
    return call.target("event")


@operation("GET", "/v1/events")
def list_all(call: Call) -> Json:
    """Return events, newest first; a type may end in `.*`."""
    where: list[tuple[str, object]] = []
    wanted = call.params.get("type", "")
    if wanted.endswith("*"):
        where.append(("json_extract(body, '$.type') LIKE ?", f"{wanted[:-1]}%"))
        del call.params["type"]
    if "delivery_success" in call.params:
        sign = "=" if call.params["delivery_success"] else ">"
        where.append((f"json_extract(body, '$.pending_webhooks') {sign} 0", []))
    return listed(
        call.state.objects,
        "event",
        call.params,
        url=call.path,
        where=where,
        ignore=frozenset({"delivery_success"}),
    )
