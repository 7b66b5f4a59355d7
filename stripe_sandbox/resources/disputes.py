"""Disputes."""

from __future__ import annotations

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import merged
from stripe_sandbox.payments import disputes
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed


@operation("GET", "/v1/disputes/{dispute}")
def retrieve(call: Call) -> Json:
    """Return a dispute."""
    return call.target(disputes.KIND)


@operation("POST", "/v1/disputes/{dispute}")
def update(call: Call) -> Json:
    """Add evidence, which is handed in unless `submit` is false, or metadata."""
    dispute = call.target(disputes.KIND)
    disputes.require_open(dispute)
    if "metadata" in call.params:
        told = merged(dispute, {"metadata": call.params["metadata"]})
        dispute = call.change(dispute, told, event="charge.dispute.updated")
    evidence = disputes.with_evidence(call, dispute, call.params.get("evidence", {}))
    if call.params.get("submit", "evidence" in call.params):
        return disputes.submit(call, dispute, evidence)
    return disputes.stage(call, dispute, evidence) if "evidence" in call.params else dispute


@operation("POST", "/v1/disputes/{dispute}/close")
def close(call: Call) -> Json:
    """Give in."""
    return disputes.close(call, call.target(disputes.KIND))


@operation("GET", "/v1/disputes")
def list_all(call: Call) -> Json:
    """Return disputes, newest first."""
    return listed(call.state.objects, disputes.KIND, call.params, url=call.path)
