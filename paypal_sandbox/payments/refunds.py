"""Refunds: money given back, by the merchant or over the merchant's head."""

from __future__ import annotations

from dataclasses import dataclass

from paypal_sandbox import accounts, errors, ids, instants
from paypal_sandbox.links import link
from paypal_sandbox.money import Amount, stored
from paypal_sandbox.payments import captures
from paypal_sandbox.records import Find
from paypal_sandbox.state import State
from paypal_sandbox.webhooks import events
from stripe_sandbox.bodies import Json

KIND = "refund"
_PATH = "/v2/payments/refunds/"
_COUNTS = ("COMPLETED", "PENDING")
_EVENTS = {
    "COMPLETED": "PAYMENT.CAPTURE.REFUNDED",
    "PENDING": "PAYMENT.REFUND.PENDING",
    "FAILED": "PAYMENT.REFUND.FAILED",
}
_REFUSALS = {
    "PENDING": (
        "PENDING_CAPTURE",
        "Cannot initiate a refund as the capture is pending.",
    ),
    "DECLINED": ("REFUND_NOT_ALLOWED", "Capture cannot be refunded."),
    "REFUNDED": ("CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded"),
}


@dataclass(frozen=True)
class Wish:
    """A refund somebody asks for; no amount means all there is left."""

    amount: Amount | None = None
    custom_id: str | None = None
    invoice_id: str | None = None
    note_to_payer: str | None = None


def show(state: State, refund: Json) -> Json:
    """Return a refund with where to go from here."""
    capture_id = state.records.notes(refund["id"])["capture"]
    return refund | {
        "links": [
            link(state.base_url, "self", f"{_PATH}{refund['id']}"),
            link(state.base_url, "up", f"/v2/payments/captures/{capture_id}"),
        ]
    }


def of(state: State, capture_id: str) -> list[Json]:
    """Return the refunds of a capture, newest first."""
    return state.records.find(Find(KIND, owner=capture_id))


def give(state: State, capture: Json, wish: Wish) -> Json:
    """Refund a capture, or some of it.

    :raises PayPalError: if that is not possible.
    """
    amount = _amount(state, capture, wish)
    if wish.invoice_id and _is_used(state, wish.invoice_id):
        raise errors.refused(
            "DUPLICATE_INVOICE_ID", "Invoice ID was previously used to refund a capture."
        )
    account = accounts.BY_KIND[state.records.notes(capture["id"])["account"]]
    refund = _made(state, capture, amount, account.refunded_as)
    optional = {
        "invoice_id": wish.invoice_id or capture.get("invoice_id"),
        "custom_id": wish.custom_id or capture.get("custom_id"),
        "note_to_payer": wish.note_to_payer,
    }
    refund |= {name: value for name, value in optional.items() if value}
    _add(state, capture, refund)
    if wish.invoice_id:
        state.records.note(refund["id"], invoice=wish.invoice_id)
    _tell(state, _EVENTS[refund["status"]], refund, "refunded")
    return refund


def settle(state: State, refund: Json, outcome: str) -> Json:
    """End a refund that is on its way: `completed`, `failed` or `cancelled`.

    :raises PayPalError: if it is not on its way.
    """
    if refund["status"] != "PENDING":
        raise errors.refused("NOT_PENDING", f"The refund is {refund['status']}.")
    settled = {name: value for name, value in refund.items() if name != "status_details"}
    settled |= {"status": outcome.upper(), "update_time": instants.written(state.clock())}
    state.records.save(refund["id"], settled)
    capture = state.records.get(captures.KIND, state.records.notes(refund["id"])["capture"])
    if outcome == "completed" and capture:
        captures.mark(state, capture, _given_back(state, capture["id"], ("COMPLETED",)))
    _tell(state, _EVENTS.get(settled["status"], _EVENTS["FAILED"]), settled, "refunded")
    return settled


def reverse(state: State, capture: Json, amount: Amount) -> Json | None:
    """Take a payment back from the merchant, as far as it has not gone back already."""
    left = stored(capture["amount"]).minor - _given_back(state, capture["id"], _COUNTS)
    taken = amount.of(min(amount.minor, left))
    if taken.minor <= 0:
        return None
    reversal = _made(state, capture, taken, "COMPLETED") | {"note_to_payer": "Payment reversed"}
    for name in ("invoice_id", "custom_id"):
        if name in capture:
            reversal[name] = capture[name]
    _add(state, capture, reversal, reason="BUYER_COMPLAINT")
    _tell(state, "PAYMENT.CAPTURE.REVERSED", reversal, "reversed")
    return reversal


def is_reversal(state: State, refund: Json) -> bool:
    """Say whether a refund was taken rather than given."""
    return bool(state.records.notes(refund["id"]).get("reversal"))


def _is_used(state: State, invoice_id: str) -> bool:
    """Say whether a refund was asked for under this invoice; others carry their capture's."""
    found = state.records.find(Find(KIND, where=[("invoice_id", "=", invoice_id)]))
    return any(state.records.notes(one["id"]).get("invoice") == invoice_id for one in found)


def _amount(state: State, capture: Json, wish: Wish) -> Amount:
    if capture["status"] in _REFUSALS:
        raise errors.refused(*_REFUSALS[capture["status"]])
    whole = stored(capture["amount"])
    left = whole.of(whole.minor - _given_back(state, capture["id"], _COUNTS))
    if left.minor <= 0:
        raise errors.refused(*_REFUSALS["REFUNDED"])
    amount = wish.amount or left
    if amount.currency != whole.currency:
        raise errors.refused(
            "REFUND_CAPTURE_CURRENCY_MISMATCH",
            "Refund must be in the same currency as the capture",
            field="/amount/currency_code",
        )
    if amount.minor > left.minor:
        raise errors.refused(
            "REFUND_AMOUNT_EXCEEDED",
            "The refund amount must be less than or equal to the capture amount that has not "
            "yet been refunded.",
            field="/amount/value",
        )
    if amount.minor < left.minor and state.records.notes(capture["id"]).get("disputed"):
        raise errors.refused(
            "TRANSACTION_DISPUTED",
            "Partial refunds cannot be offered at this time because there is an open case on "
            "this transaction.",
        )
    return amount


def _given_back(state: State, capture_id: str, statuses: tuple[str, ...]) -> int:
    return sum(
        stored(refund["amount"]).minor
        for refund in of(state, capture_id)
        if refund["status"] in statuses
    )


def _made(state: State, capture: Json, amount: Amount, status: str) -> Json:
    now = instants.written(state.clock())
    before = _given_back(state, capture["id"], ("COMPLETED",))
    total = before + (amount.minor if status == "COMPLETED" else 0)
    refund: Json = {
        "id": ids.transaction(),
        "status": status,
        "amount": amount.written(),
        # PayPal keeps its fee when a payment is refunded.
        "seller_payable_breakdown": {
            "gross_amount": amount.written(),
            "paypal_fee": amount.of(0).written(),
            "net_amount": amount.written(),
            "total_refunded_amount": amount.of(total).written(),
        },
        "payer": captures.payee(state),
        "create_time": now,
        "update_time": now,
    }
    if status != "COMPLETED":
        refund["status_details"] = {"reason": "ECHECK"}
    return refund


def _add(state: State, capture: Json, refund: Json, *, reason: str | None = None) -> None:
    notes = {"capture": capture["id"], "reversal": reason is not None}
    state.records.add(KIND, refund["id"], refund, owner=capture["id"], notes=notes)
    if refund["status"] == "COMPLETED":
        back = _given_back(state, capture["id"], ("COMPLETED",))
        captures.mark(state, capture, back, reason=reason)


def _tell(state: State, event: str, refund: Json, word: str) -> None:
    amount = f"{refund['amount']['value']} {refund['amount']['currency_code']}"
    summary = f"A {amount} capture payment was {word}"
    events.record(state, events.Told(event, refund["id"], KIND, show(state, refund), summary))
