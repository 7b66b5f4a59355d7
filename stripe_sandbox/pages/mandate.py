"""The page that shows a mandate's words."""

from __future__ import annotations

from html import escape

from stripe_sandbox.call import Call
from stripe_sandbox.messages import Answer
from stripe_sandbox.pages.html import page
from stripe_sandbox.payments import mandates


def show(call: Call, mandate_id: str) -> Answer:
    """Show what was agreed to."""
    mandate = call.state.objects.find(mandate_id, "mandate")
    if mandate is None:
        return page("No such page", "<p>Check the address.</p>", status=404)
    reference = mandate["payment_method_details"]["sepa_debit"]["reference"]
    body = f"<p>Reference <code>{escape(reference)}</code></p><p>{escape(mandates.TEXT)}</p>"
    return page("Mandate", body)
