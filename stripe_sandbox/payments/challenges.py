"""3-D Secure: when a card's holder must prove themselves, and where they go to do so."""

from __future__ import annotations

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import methods
from stripe_sandbox.payments.cards import Challenge


def needed(call: Call, method: Json, *, off_session: bool) -> bool:
    """Say whether using this payment method now asks for a proof."""
    challenge = methods.card_of(call, method).challenge
    if challenge is Challenge.UNLESS_SET_UP:
        return not call.state.objects.notes(method["id"]).get("set_up")
    if challenge is Challenge.WHEN_PRESENT:
        return not off_session
    return challenge is Challenge.ALWAYS


def next_action(call: Call, intent: Json, return_url: str | None) -> Json:
    """Return where the holder goes: a redirect if the way back is known, else a script's work."""
    url = f"{call.base_url}/3ds/{intent['id']}?secret={intent['client_secret']}"
    if return_url:
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": url, "return_url": return_url},
        }
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
    }
