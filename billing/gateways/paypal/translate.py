"""PayPal's objects, as plain mappings, into our facts. Pure: no network, no tables.

Of the payer, whose name, e-mail and address PayPal repeats with nearly everything, nothing is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from billing.core.lifecycle import DisputeStatus
from billing.gateways.base import (
    Charge,
    ChargeStatus,
    Decline,
    Dispute,
    GatewayUnavailableError,
    MethodChange,
    MethodDetails,
    Refund,
    Setup,
    SetupStatus,
)
from billing.gateways.paypal import currencies, declines
from billing.gateways.paypal.client import Fields

KIND: Final = "paypal"
_NOT_AGREED: Final = Decline(declines.PAYER_ACTION, "The payer has not agreed at PayPal.")
_CAPTURE: Final[Mapping[str, ChargeStatus]] = {
    "COMPLETED": ChargeStatus.SUCCEEDED,
    "PARTIALLY_REFUNDED": ChargeStatus.SUCCEEDED,
    "REFUNDED": ChargeStatus.SUCCEEDED,
    "DECLINED": ChargeStatus.DECLINED,
    "FAILED": ChargeStatus.DECLINED,
}
_REFUND: Final[Mapping[str, ChargeStatus]] = {
    "COMPLETED": ChargeStatus.SUCCEEDED,
    "CANCELLED": ChargeStatus.DECLINED,
    "FAILED": ChargeStatus.DECLINED,
}
# How a dispute ended, where it ended for the seller. In every other way the payer got the money.
_WON: Final = frozenset(
    {"RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED", "NONE"}
)
_TO_ANSWER: Final = "WAITING_FOR_SELLER_RESPONSE"
_APPROVE: Final = frozenset({"approve", "payer-action"})
_OPEN: Final = frozenset({"CREATED", "PAYER_ACTION_REQUIRED"})


def id_of(fields: Fields, name: str = "id") -> str:
    """What PayPal calls it; an answer without that is no answer."""
    if not fields.get(name):
        raise GatewayUnavailableError("PayPal's answer does not say what it is about.")
    return str(fields[name])


def reference(fields: Fields) -> str:
    """Our reference of a capture or a refund, or empty for what is not ours."""
    return str(fields.get("custom_id") or fields.get("invoice_id") or "")


def charge(capture: Fields) -> Charge:
    """A capture. A status that we do not know settles nothing yet."""
    status = _CAPTURE.get(str(capture.get("status")), ChargeStatus.PROCESSING)
    is_declined = status is ChargeStatus.DECLINED
    return Charge(
        reference=reference(capture),
        external_id=id_of(capture),
        status=status,
        decline=declines.of_capture(capture) if is_declined else None,
    )


def declined_charge(ours: str, issue: str) -> Charge:
    """A payment that PayPal refused. It leaves nothing behind, not even an id."""
    return Charge(ours, "", ChargeStatus.DECLINED, declines.by_issue(issue))


def captures(order: Fields) -> Iterator[Fields]:
    """The captures of an order: one, if it was paid."""
    return _payments(order, "captures")


def refunds(order: Fields) -> Iterator[Fields]:
    """The refunds of an order."""
    return _payments(order, "refunds")


def order_of(capture: Fields) -> str:
    """The id of a capture's order."""
    related = (capture.get("supplementary_data") or {}).get("related_ids") or {}
    return str(related.get("order_id") or "")


def refund(fields: Fields) -> Refund:
    """A refund. A status that we do not know settles nothing yet."""
    status = _REFUND.get(str(fields.get("status")), ChargeStatus.PROCESSING)
    decline = None
    if status is ChargeStatus.DECLINED:
        reason = (fields.get("status_details") or {}).get("reason")
        decline = Decline(
            str(reason or fields.get("status")), "The refund did not reach the payer."
        )
    return Refund(reference(fields), id_of(fields), status, decline)


def dispute(fields: Fields) -> Dispute | None:
    """A dispute, an inquiry included; None where it is about no payment of ours.

    PayPal holds the amount from the first inquiry on (its words: a temporary hold), and lets go
    once it is over.
    """
    transactions = fields.get("disputed_transactions") or [{}]
    charge_id = str(transactions[0].get("seller_transaction_id") or "")
    if not charge_id:
        return None
    return Dispute(
        external_id=id_of(fields, "dispute_id"),
        charge_external_id=charge_id,
        amount=currencies.from_paypal(fields.get("dispute_amount") or {}),
        status=_dispute_status(fields),
        reason=str(fields.get("reason") or ""),
        evidence_due_at=evidence_due_at(fields),
    )


def evidence_due_at(fields: Fields) -> datetime | None:
    """Until when a dispute can be answered; None while or once nobody waits for the seller."""
    due = fields.get("seller_response_due_date")
    if fields.get("status") != _TO_ANSWER or not due:
        return None
    return datetime.fromisoformat(str(due))


def takes_evidence(fields: Fields) -> bool:
    """Whether PayPal waits for the seller's answer."""
    return fields.get("status") == _TO_ANSWER


def is_answered(fields: Fields) -> bool:
    """Whether the seller has answered before."""
    given = fields.get("evidences") or []
    return any(one.get("source") == "SUBMITTED_BY_SELLER" for one in given)


def method(token: Fields) -> MethodDetails:
    """A payment token. An account at PayPal has no digits or dates to recognise it by."""
    return MethodDetails(external_id=id_of(token), kind=KIND, brand=KIND)


def method_change(token: Fields) -> MethodChange:
    """A payment token now."""
    return MethodChange(id_of(token), method(token))


def customer(fields: Fields) -> str:
    """What PayPal calls the customer of a token, or empty."""
    return str((fields.get("customer") or {}).get("id") or "")


def is_open(token: Fields) -> bool:
    """Whether a setup token still waits for the payer."""
    return token.get("status") in _OPEN


def open_setup(token: Fields, ours: str = "") -> Setup:
    """A setup token that the payer has yet to agree to."""
    links = token.get("links") or []
    pages = (str(link.get("href") or "") for link in links if link.get("rel") in _APPROVE)
    return Setup(
        reference=ours,
        external_id=id_of(token),
        status=SetupStatus.OPEN,
        customer_external_id=customer(token),
        url=next(pages, ""),
    )


def completed_setup(external_id: str, token: Fields, ours: str = "") -> Setup:
    """A set-up of which came a payment token."""
    return Setup(
        reference=ours,
        external_id=external_id,
        status=SetupStatus.COMPLETED,
        customer_external_id=customer(token),
        method=method(token),
    )


def declined_setup(external_id: str, issue: str, ours: str = "") -> Setup:
    """A set-up of which nothing came."""
    is_early = issue == declines.PAYER_ACTION
    return Setup(
        reference=ours,
        external_id=external_id,
        status=SetupStatus.DECLINED,
        customer_external_id="",
        decline=_NOT_AGREED if is_early else declines.by_issue(issue),
    )


def _payments(order: Fields, what: str) -> Iterator[Fields]:
    for unit in order.get("purchase_units") or []:
        yield from (unit.get("payments") or {}).get(what) or []


def _dispute_status(fields: Fields) -> DisputeStatus:
    if fields.get("status") != "RESOLVED":
        return DisputeStatus.OPEN
    outcome = (fields.get("dispute_outcome") or {}).get("outcome_code")
    return DisputeStatus.WON if outcome in _WON else DisputeStatus.LOST
