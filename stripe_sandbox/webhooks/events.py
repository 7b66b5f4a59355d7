"""Events: what happened, as Stripe tells it, and who is to hear of it."""

from __future__ import annotations

from dataclasses import dataclass

import stripe

from stripe_sandbox import ids
from stripe_sandbox.bodies import Json, loads
from stripe_sandbox.sdk import shapes
from stripe_sandbox.state import State
from stripe_sandbox.webhooks import knobs, outbox


@dataclass(frozen=True)
class Origin:
    """The request that made something happen, if one did."""

    request: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Told:
    """What happened to which object, when, and what it was before."""

    type: str
    body: Json
    previous: Json | None
    at: int


def record(state: State, told: Told, origin: Origin) -> None:
    """Store an event and queue a delivery to every endpoint that wants it."""
    listeners = [endpoint for endpoint in endpoints(state) if wants(endpoint, told.type)]
    event = shapes.complete(
        "event",
        {
            "id": ids.new("evt"),
            "api_version": stripe.api_version,
            "created": told.at,
            "livemode": False,
            "pending_webhooks": len(listeners),
            "request": {"id": origin.request, "idempotency_key": origin.idempotency_key},
            "type": told.type,
        },
    )
    event["data"] = {"object": told.body}
    if told.previous is not None:
        event["data"]["previous_attributes"] = told.previous
    state.objects.add(event)
    if listeners:
        plan = knobs.read(state.database)
        for endpoint in listeners:
            outbox.enqueue(state, event["id"], endpoint["id"], plan)
        state.news.set()


def endpoints(state: State) -> list[Json]:
    """Return every endpoint that is enabled."""
    rows = state.database.rows(
        "SELECT body FROM objects WHERE kind = 'webhook_endpoint' AND gone = 0"
    )
    found: list[Json] = [loads(row["body"]) for row in rows]
    return [endpoint for endpoint in found if endpoint["status"] == "enabled"]


def wants(endpoint: Json, event_type: str) -> bool:
    """Say whether an endpoint asked to hear of a type of event."""
    return any(
        wanted in ("*", event_type)
        or (wanted.endswith(".*") and event_type.startswith(wanted[:-1]))
        for wanted in endpoint["enabled_events"]
    )
