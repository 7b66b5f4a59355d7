"""Stripe's objects, as plain mappings, into our facts. Pure: no network, no tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from billing.core.lifecycle import DisputeStatus
from billing.gateways.base import (
    Charge,
    ChargeStatus,
    Decline,
    Dispute,
    MethodChange,
    MethodDetails,
    Refund,
    Setup,
    SetupStatus,
)
from billing.gateways.stripe import currencies, declines

Fields = Mapping[str, Any]  # Stripe's JSON

_NEEDS_CUSTOMER: Final = Decline(
    declines.AUTHENTICATION_REQUIRED, "The payment method asks for authentication."
)
_INTENT: Final[Mapping[str, ChargeStatus]] = {
    "succeeded": ChargeStatus.SUCCEEDED,
    "processing": ChargeStatus.PROCESSING,
    "requires_capture": ChargeStatus.PROCESSING,
}
_REFUND: Final[Mapping[str, ChargeStatus]] = {
    "succeeded": ChargeStatus.SUCCEEDED,
    "pending": ChargeStatus.PROCESSING,
    "requires_action": ChargeStatus.PROCESSING,
}
_DISPUTE: Final[Mapping[str, DisputeStatus]] = {
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def reference(fields: Fields) -> str:
    """Our reference, or empty for what is not ours."""
    return str((fields.get("metadata") or {}).get("reference") or "")


def charge(intent: Fields) -> Charge:
    """A PaymentIntent. One that waits for a method or for its owner took nothing: declined."""
    status = _INTENT.get(intent["status"], ChargeStatus.DECLINED)
    decline = _why_not(intent, "last_payment_error") if status is ChargeStatus.DECLINED else None
    return Charge(reference(intent), intent["id"], status, decline)


def is_over(intent: Fields) -> bool:
    """Whether a PaymentIntent has been tried; one in the midst of it looks like a declined one."""
    return intent["status"] in {"succeeded", "processing"} or bool(intent["last_payment_error"])


def declined_charge(ours: str, error: Fields) -> Charge:
    """The error that Stripe answers a declined charge with."""
    intent = error.get("payment_intent") or {}
    decline = declines.decline(error)
    return Charge(ours, str(intent.get("id") or ""), ChargeStatus.DECLINED, decline)


def refund(fields: Fields) -> Refund:
    """A refund."""
    status = _REFUND.get(fields["status"], ChargeStatus.DECLINED)
    decline = None
    if status is ChargeStatus.DECLINED:
        code = fields.get("failure_reason") or fields["status"]
        decline = Decline(str(code), "The refund did not reach its destination.")
    return Refund(reference(fields), fields["id"], status, decline)


def dispute(fields: Fields) -> Dispute | None:
    """A dispute. An inquiry holds nothing back, and one that was prevented never did: none."""
    if fields["status"] not in _DISPUTE:
        return None
    return Dispute(
        external_id=fields["id"],
        charge_external_id=_id(fields.get("payment_intent")) or _id(fields.get("charge")),
        amount=currencies.from_stripe(fields["amount"], fields["currency"]),
        status=_DISPUTE[fields["status"]],
        reason=str(fields.get("reason") or ""),
    )


def method(fields: Fields) -> MethodDetails:
    """A payment method, redacted to what people recognise it by."""
    kind = str(fields["type"])
    details = fields.get(kind) or {}
    return MethodDetails(
        external_id=fields["id"],
        kind=kind,
        brand=str(details.get("brand") or ""),
        last4=str(details.get("last4") or ""),
        exp_month=details.get("exp_month"),
        exp_year=details.get("exp_year"),
    )


def method_change(fields: Fields) -> MethodChange:
    """A payment method now; one that no customer has any more is gone."""
    return MethodChange(fields["id"], method(fields) if fields.get("customer") else None)


def setup(intent: Fields, payment_method: Fields | None) -> Setup:
    """A SetupIntent of a token. One that asks its owner but has no page for it is declined."""
    status, url = _setup_status(intent), _page(intent)
    decline = None
    if status is SetupStatus.OPEN and intent["status"] == "requires_action" and not url:
        status, decline = SetupStatus.DECLINED, _NEEDS_CUSTOMER
    elif status is SetupStatus.DECLINED:
        decline = _why_not(intent, "last_setup_error")
    return Setup(
        reference=reference(intent),
        external_id=intent["id"],
        status=status,
        customer_external_id=_id(intent.get("customer")),
        url=url if status is SetupStatus.OPEN else "",
        method=_chargeable(status, payment_method),
        decline=decline,
    )


def declined_setup(ours: str, customer: str, error: Fields) -> Setup:
    """The error that Stripe answers a declined set-up with."""
    intent = error.get("setup_intent") or {}
    return Setup(
        reference=ours,
        external_id=str(intent.get("id") or ""),
        status=SetupStatus.DECLINED,
        customer_external_id=customer,
        decline=declines.decline(error),
    )


def checkout(session: Fields, intent: Fields | None, payment_method: Fields | None) -> Setup:
    """A visit to Stripe's page. While it is open a declined card means nothing: another may do."""
    status, decline = SetupStatus.OPEN, None
    if session["status"] == "expired":
        status = SetupStatus.EXPIRED
    elif session["status"] == "complete" and intent is not None:
        status = _setup_status(intent)
        if status is SetupStatus.DECLINED:
            decline = _why_not(intent, "last_setup_error")
    return Setup(
        reference=reference(session) or str(session.get("client_reference_id") or ""),
        external_id=session["id"],
        status=status,
        customer_external_id=_id(session.get("customer")),
        url=str(session.get("url") or "") if status is SetupStatus.OPEN else "",
        method=_chargeable(status, payment_method),
        decline=decline,
    )


def _setup_status(intent: Fields) -> SetupStatus:
    status = intent["status"]
    if status == "succeeded":
        return SetupStatus.COMPLETED
    if status == "canceled":
        return SetupStatus.EXPIRED
    return SetupStatus.DECLINED if status == "requires_payment_method" else SetupStatus.OPEN


def _chargeable(status: SetupStatus, payment_method: Fields | None) -> MethodDetails | None:
    if status is not SetupStatus.COMPLETED or payment_method is None:
        return None
    return method(payment_method)


def _why_not(intent: Fields, field: str) -> Decline:
    if intent.get(field):
        return declines.decline(intent[field])
    if intent["status"] == "requires_action":
        return _NEEDS_CUSTOMER
    return Decline(str(intent["status"]), "The payment did not take place.")


def _page(intent: Fields) -> str:
    action = intent.get("next_action") or {}
    redirect = (action.get("redirect_to_url") or {}).get("url")
    deposits = (action.get("verify_with_microdeposits") or {}).get("hosted_verification_url")
    return str(redirect or deposits or "")


def _id(value: Any) -> str:  # an id, or the object itself where it was expanded
    return str(value["id"] if isinstance(value, Mapping) else value or "")
