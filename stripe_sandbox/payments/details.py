"""What a charge tells of the payment method it took, kind by kind."""

from __future__ import annotations

from stripe_sandbox import ids
from stripe_sandbox.bodies import Json


def of(intent: Json, method: Json, *, challenged: bool, mandate: str | None = None) -> Json:
    """Return a charge's `payment_method_details`."""
    if method["type"] == "sepa_debit":
        return {"type": "sepa_debit", "sepa_debit": _sepa_debit(method, mandate)}
    if method["type"] == "pix":
        return {"type": "pix", "pix": {}}
    return _card(intent, method, challenged=challenged)


def pix_paid(details: Json) -> Json:
    """Return the details of a Pix payment once a bank has made it."""
    return details | {"pix": {"bank_transaction_id": f"E{ids.word(31)}"}}


def _sepa_debit(method: Json, mandate: str | None) -> Json:
    account = method["sepa_debit"]
    told = ("bank_code", "branch_code", "country", "fingerprint", "last4")
    return {name: account[name] for name in told} | {"mandate": mandate}


def _card(intent: Json, method: Json, *, challenged: bool) -> Json:
    card = method["card"]
    same = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
    )
    return {
        "type": "card",
        "card": {name: card[name] for name in same}
        | {
            "amount_authorized": intent["amount"],
            "authorization_code": "123456",
            "extended_authorization": {"status": "disabled"},
            "incremental_authorization": {"status": "unavailable"},
            "multicapture": {"status": "unavailable"},
            "network": card["brand"],
            "network_token": {"used": False},
            "overcapture": {
                "maximum_amount_capturable": intent["amount"],
                "status": "unavailable",
            },
            "regulated_status": "unregulated",
            "three_d_secure": _proof() if challenged else None,
        },
    }


def _proof() -> Json:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "result": "authenticated",
        "version": "2.2.0",
    }
