"""Which kinds of payment method an intent takes: those named, or those turned on."""

from __future__ import annotations

from stripe_sandbox.bodies import Json
from stripe_sandbox.errors import ApiError


def chosen_types(params: Json) -> Json:
    """Return an intent's `payment_method_types` and `automatic_payment_methods`.

    :raises ApiError: if both are asked for at once.
    """
    automatic = params.get("automatic_payment_methods")
    named = params.get("payment_method_types")
    if named and automatic and automatic["enabled"]:
        raise ApiError(
            "You may only specify one of these parameters: automatic_payment_methods, "
            "payment_method_types."
        )
    if named or (automatic and not automatic["enabled"]):
        return {"payment_method_types": named or ["card"], "automatic_payment_methods": None}
    redirects = (automatic or {}).get("allow_redirects", "always")
    return {
        "payment_method_types": ["card"],
        "automatic_payment_methods": {"enabled": True, "allow_redirects": redirects},
    }
