"""Captures, and their refunds."""

from __future__ import annotations

from paypal_sandbox import errors, money
from paypal_sandbox.call import Call, text
from paypal_sandbox.payments import captures, refunds
from paypal_sandbox.routes import PAYMENTS_KEPT, Reply, operation, shown
from stripe_sandbox.bodies import Json


@operation("GET", "/v2/payments/captures/{id}")
def get(call: Call) -> Reply:
    """Show a capture."""
    return Reply(body=captures.show(call.state, _capture(call)))


@operation("POST", "/v2/payments/captures/{id}/refund", kept=PAYMENTS_KEPT, prefers=True)
def refund(call: Call) -> Reply:
    """Refund a capture: all that is left of it, or an amount."""
    capture, params = _capture(call), call.params
    amount = money.read(params["amount"], "/amount") if "amount" in params else None
    wish = refunds.Wish(
        amount,
        custom_id=text(params, "custom_id", "", 127),
        invoice_id=text(params, "invoice_id", "", 127),
        note_to_payer=text(params, "note_to_payer", "", 255),
    )
    given = refunds.give(call.state, capture, wish)
    return Reply(201, made=(refunds.KIND, given["id"]))


@operation("GET", "/v2/payments/refunds/{id}")
def get_refund(call: Call) -> Reply:
    """Show a refund."""
    return Reply(body=show_refund(call, call.args["id"]))


@shown(refunds.KIND)
def show_refund(call: Call, refund_id: str) -> Json:
    """Show a refund as it is now."""
    found = call.state.records.get(refunds.KIND, refund_id)
    if found is None:
        raise errors.not_found("refund_id")
    return refunds.show(call.state, found)


def _capture(call: Call) -> Json:
    found = call.state.records.get(captures.KIND, call.args["id"])
    if found is None:
        raise errors.not_found("capture_id")
    return found
