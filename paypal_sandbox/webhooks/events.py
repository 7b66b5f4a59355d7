"""Events: what happened, as PayPal tells it, and who is to hear of it."""

from __future__ import annotations

from dataclasses import dataclass

from paypal_sandbox import ids, instants
from paypal_sandbox.links import vault_link
from paypal_sandbox.state import ENDPOINT, State
from stripe_sandbox.bodies import Json
from stripe_sandbox.webhooks import knobs, outbox

KIND = "event"
_PATH = "/v1/notifications/webhooks-events/"


@dataclass(frozen=True)
class Told:
    """What happened to a resource; `subject` is the resource's id."""

    type: str
    subject: str
    resource_type: str
    resource: Json
    summary: str
    resource_version: str | None = "2.0"


def record(state: State, told: Told) -> None:
    """Store an event and queue a delivery to the endpoint, if there is one."""
    event_id = ids.event()
    event: Json = {
        "id": event_id,
        "event_version": "1.0",
        "create_time": instants.fine(state.clock()),
        "resource_type": told.resource_type,
    }
    if told.resource_version:
        event["resource_version"] = told.resource_version
    event |= {
        "event_type": told.type,
        "summary": told.summary,
        "resource": told.resource,
        "links": [
            vault_link(state.base_url, "self", f"{_PATH}{event_id}"),
            vault_link(state.base_url, "resend", f"{_PATH}{event_id}/resend", "POST"),
        ],
    }
    state.records.add(KIND, event_id, event, owner=told.subject)
    resend(state, event_id)


def resend(state: State, event_id: str) -> None:
    """Queue an event, once more if it was queued before."""
    plan = knobs.read(state.database)
    rows = state.database.rows("SELECT id FROM objects WHERE kind = ? AND gone = 0", (ENDPOINT,))
    for row in rows:
        outbox.enqueue(state, event_id, row["id"], plan)
    state.news.set()


def listen_at(state: State, url: str, webhook_id: str) -> None:
    """Let there be one endpoint, at this address and with this id."""
    with state.database.transaction():
        state.database.run("DELETE FROM objects WHERE kind = ?", (ENDPOINT,))
        state.objects.add(
            {
                "id": webhook_id,
                "object": ENDPOINT,
                "url": url,
                "status": "enabled",
                "enabled_events": ["*"],
            }
        )
