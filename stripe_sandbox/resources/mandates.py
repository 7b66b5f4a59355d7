"""Mandates."""

from __future__ import annotations

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.routes import operation


@operation("GET", "/v1/mandates/{mandate}")
def retrieve(call: Call) -> Json:
    """Return a mandate."""
    return call.target("mandate")
