"""Notifications, as the control API shows and repeats them."""

from __future__ import annotations

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.state import State
from stripe_sandbox.webhooks import events, knobs, outbox

_FILTERS = {
    "event": "deliveries.event = ?",
    "state": "deliveries.state = ?",
    "type": "json_extract(objects.body, '$.type') = ?",
}


def listed(state: State, asked: Json) -> Json:
    """Return deliveries, oldest first; `event`, `state` and `type` narrow them down."""
    named = [name for name in _FILTERS if name in asked]
    conditions = " AND ".join(["1", *(_FILTERS[name] for name in named)])
    rows = state.database.rows(
        "SELECT deliveries.*, json_extract(objects.body, '$.type') AS type FROM deliveries"  # noqa: S608 - the conditions are those above
        f" LEFT JOIN objects ON objects.id = deliveries.event WHERE {conditions}"
        " ORDER BY deliveries.seq",
        [asked[name] for name in named],
    )
    return {"data": [dict(row) for row in rows]}


def resend(state: State, asked: Json) -> Json:
    """Queue an event again, for every endpoint that wants it: `{"event": "evt_…"}`.

    :raises ApiError: if there is no such event.
    """
    event = state.objects.find(str(asked.get("event")), "event")
    if event is None:
        raise errors.no_such("event", str(asked.get("event")), "event", status=404)
    plan = knobs.read(state.database)
    with state.database.transaction():
        wanting = [one for one in events.endpoints(state) if events.wants(one, event["type"])]
        for endpoint in wanting:
            outbox.enqueue(state, event["id"], endpoint["id"], plan)
    return {"event": event["id"], "endpoints": [endpoint["id"] for endpoint in wanting]}
