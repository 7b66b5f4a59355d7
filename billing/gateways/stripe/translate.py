"""Stripe's objects, as plain mappings, into our facts. Pure: no network, no tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from billing.core.lifecycle import ActionKind, DisputeStatus
from billing.gateways.base import (
    Action,
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

# How long a code lasts where Stripe does not say.
_CODE_LASTS: Final = timedelta(days=1)
_WITHDRAWN: Final = Decline("withdrawn", "The charge was withdrawn before it was paid.")
_NEEDS_CUSTOMER: Final = Decline(
    declines.AUTHENTICATION_REQUIRED, "The payment method asks for authentication."
)
_INTENT: Final[Mapping[str, ChargeStatus]] = {
    "succeeded": ChargeStatus.SUCCEEDED,
    "processing": ChargeStatus.PROCESSING,
    "requires_capture": ChargeStatus.PROCESSING,
    "requires_confirmation": ChargeStatus.PROCESSING,
    "requires_action": ChargeStatus.ACTION_REQUIRED,
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


def visit_reference(session: Fields) -> str:
    """Our reference of a visit to Stripe's page."""
    return reference(session) or str(session.get("client_reference_id") or "")


def instant(seconds: int) -> datetime:
    """A point in time, as Stripe counts it."""
    return datetime.fromtimestamp(seconds, UTC)


def id_of(value: Any) -> str:
    """An id, where Stripe gives the id or the object itself."""
    return str(value["id"] if isinstance(value, Mapping) else value or "")


def charge(intent: Fields) -> Charge:
    """A PaymentIntent. One that was given up took nothing and never will: declined."""
    status = _charge_status(intent)
    return Charge(
        reference=reference(intent),
        external_id=intent["id"],
        status=status,
        decline=_declined(intent) if status is ChargeStatus.DECLINED else None,
        action=_action(intent) if status is ChargeStatus.ACTION_REQUIRED else None,
    )


def is_tried(intent: Fields) -> bool:
    """Whether anything came of a PaymentIntent yet; one in the midst of it waits for a method."""
    is_waiting = intent["status"] in {"requires_payment_method", "requires_confirmation"}
    return not is_waiting or bool(intent.get("last_payment_error"))


def declined_charge(ours: str, error: Fields) -> Charge:
    """The error that Stripe answers a declined charge with. Its owner may mend one that asks."""
    external_id = id_of(error.get("payment_intent"))
    if external_id and declines.asks_payer(error):
        asked = Action(ActionKind.PAGE)
        return Charge(ours, external_id, ChargeStatus.ACTION_REQUIRED, action=asked)
    return Charge(ours, external_id, ChargeStatus.DECLINED, declines.decline(error))


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
        charge_external_id=id_of(fields.get("payment_intent")) or id_of(fields.get("charge")),
        amount=currencies.from_stripe(fields["amount"], fields["currency"]),
        status=_DISPUTE[fields["status"]],
        reason=str(fields.get("reason") or ""),
        evidence_due_at=evidence_due_at(fields),
    )


def evidence_due_at(fields: Fields) -> datetime | None:
    """Until when a dispute can be answered; None once it was, or when it is too late."""
    details = fields.get("evidence_details") or {}
    if fields["status"] != "needs_response" or details.get("past_due"):
        return None
    return instant(details["due_by"]) if details.get("due_by") else None


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
        customer_external_id=id_of(intent.get("customer")),
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
        reference=visit_reference(session),
        external_id=session["id"],
        status=status,
        customer_external_id=id_of(session.get("customer")),
        url=str(session.get("url") or "") if status is SetupStatus.OPEN else "",
        method=_chargeable(status, payment_method),
        decline=decline,
    )


def _charge_status(intent: Fields) -> ChargeStatus:
    if not is_tried(intent):
        return ChargeStatus.PROCESSING
    error = intent.get("last_payment_error") or {}
    if intent["status"] == "requires_payment_method" and declines.asks_payer(error):
        return ChargeStatus.ACTION_REQUIRED
    return _INTENT.get(intent["status"], ChargeStatus.DECLINED)


def _declined(intent: Fields) -> Decline:
    """Why it took nothing. That it was given up says more than how an earlier try failed."""
    if intent["status"] == "canceled":
        return _WITHDRAWN
    return _why_not(intent, "last_payment_error")


def _action(intent: Fields) -> Action:
    code = (intent.get("next_action") or {}).get("pix_display_qr_code")
    if not code:
        return Action(ActionKind.PAGE, url=_page(intent))
    expires = code.get("expires_at")
    return Action(
        ActionKind.CODE,
        url=str(code.get("hosted_instructions_url") or ""),
        code=str(code.get("data") or ""),
        expires_at=instant(expires) if expires else instant(intent["created"]) + _CODE_LASTS,
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
    return Decline(str(intent["status"]), "The payment did not take place.")


def _page(intent: Fields) -> str:
    action = intent.get("next_action") or {}
    redirect = (action.get("redirect_to_url") or {}).get("url")
    deposits = (action.get("verify_with_microdeposits") or {}).get("hosted_verification_url")
    return str(redirect or deposits or "")
