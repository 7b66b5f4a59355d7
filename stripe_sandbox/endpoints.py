"""The webhook endpoint given when the stand-in is started, with a secret known beforehand."""

from __future__ import annotations

from stripe_sandbox import ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.state import State
from stripe_sandbox.webhooks import events


def listen_at(state: State, url: str, secret: str) -> Json:
    """Make sure that exactly one endpoint has this address, and that it has this secret."""
    with state.database.transaction():
        for endpoint in events.endpoints(state):
            if endpoint["url"] == url:
                state.objects.note(endpoint["id"], secret=secret, fixed=True)
                return endpoint
        call = Call(state, base_url="")
        body = {"id": ids.new("we"), "enabled_events": ["*"], "status": "enabled", "url": url}
        return call.create("webhook_endpoint", body, notes={"secret": secret, "fixed": True})
