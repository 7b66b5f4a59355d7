"""Mandates: a customer's leave to debit their bank account."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call

TEXT = (
    "By providing your payment information and confirming, you authorise the creditor and its "
    "payment provider to send instructions to your bank to debit your account, and your bank to "
    "debit it in accordance with those instructions. You are entitled to a refund from your bank "
    "within eight weeks of a debit, under the terms of your agreement with your bank."
)


@dataclass(frozen=True)
class Leave:
    """By what leave an account is debited: words of acceptance, or a mandate given before."""

    mandate_data: Json | None = None
    mandate: str | None = None


NO_LEAVE = Leave()
# What the hosted page stands for: a person who read the text and pressed the button.
ON_PAGE = Leave({"customer_acceptance": {"type": "online", "online": {"ip_address": "127.0.0.1"}}})


def leave_in(params: Json) -> Leave:
    """Read the leave a request gives."""
    return Leave(params.get("mandate_data") or None, params.get("mandate"))


def required(call: Call, intent: Json, method: Json, leave: Leave) -> str:
    """Return the mandate under which a method is used: a new one, the one named, or its own.

    :raises ApiError: if its holder never gave one.
    """
    if leave.mandate_data:
        return _given(call, method, leave.mandate_data["customer_acceptance"])
    standing = leave.mandate or call.state.objects.notes(method["id"]).get("mandate")
    if standing:
        mandate = call.fetch("mandate", standing, "mandate")
        if mandate["status"] == "active" and mandate["payment_method"] == method["id"]:
            return str(standing)
    noun = intent["object"]
    title = "PaymentIntent" if noun == "payment_intent" else "SetupIntent"
    raise errors.ApiError(
        f"This {title} requires a mandate, but no existing mandate was found. Collect mandate "
        "acceptance from the customer and try again, providing acceptance data in the "
        "mandate_data parameter.",
        extra={noun: intent},
    )


def _given(call: Call, method: Json, acceptance: Json) -> str:
    mandate_id = ids.new("mandate")
    body = {
        "id": mandate_id,
        "customer_acceptance": {"accepted_at": call.now(method["customer"])} | acceptance,
        "multi_use": {},
        "payment_method": method["id"],
        "payment_method_details": {
            "type": "sepa_debit",
            "sepa_debit": {
                "reference": ids.word(16).upper(),
                "url": f"{call.base_url}/mandates/{mandate_id}",
            },
        },
        "status": "active",
        "type": "multi_use",
    }
    call.create("mandate", body)
    call.state.objects.note(method["id"], mandate=mandate_id)
    return mandate_id
