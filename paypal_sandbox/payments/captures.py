"""Captures: money taken, on its way, or not to be had after all."""

from __future__ import annotations

from dataclasses import dataclass

from paypal_sandbox import errors, ids, instants
from paypal_sandbox.accounts import Account
from paypal_sandbox.links import link
from paypal_sandbox.money import Amount, stored
from paypal_sandbox.records import Find
from paypal_sandbox.state import State
from paypal_sandbox.webhooks import events
from stripe_sandbox.bodies import Json

KIND = "capture"
_PATH = "/v2/payments/captures/"
_IN_THE_WAY = frozenset({"COMPLETED", "PENDING", "PARTIALLY_REFUNDED", "REFUNDED"})
_EVENTS = {"COMPLETED": "PAYMENT.CAPTURE.COMPLETED", "PENDING": "PAYMENT.CAPTURE.PENDING"}
# PayPal's list of events says DECLINED, and PayPal is known to send DENIED.
DECLINES = {"declined": "PAYMENT.CAPTURE.DECLINED", "denied": "PAYMENT.CAPTURE.DENIED"}


@dataclass(frozen=True)
class Wish:
    """A payment somebody asks for."""

    order_id: str
    amount: Amount
    custom_id: str | None = None
    invoice_id: str | None = None


def payee(state: State) -> Json:
    """Return who is paid."""
    return {"email_address": "merchant@payee.example", "merchant_id": state.merchant_id}


def show(state: State, capture: Json) -> Json:
    """Return a capture with where to go from here."""
    path = f"{_PATH}{capture['id']}"
    order_id = capture["supplementary_data"]["related_ids"]["order_id"]
    return capture | {
        "links": [
            link(state.base_url, "self", path),
            link(state.base_url, "refund", f"{path}/refund", "POST"),
            link(state.base_url, "up", f"/v2/checkout/orders/{order_id}"),
        ]
    }


def take(state: State, account: Account, wish: Wish) -> Json:
    """Take a payment from an account, or have it refused.

    :raises PayPalError: if the invoice is paid already, or the account does not pay.
    """
    if wish.invoice_id and _is_paid(state, wish.invoice_id):
        raise errors.refused(
            "DUPLICATE_INVOICE_ID",
            "Duplicate Invoice ID detected. To avoid a potential duplicate transaction your "
            "account setting requires that Invoice Id be unique for each transaction.",
            kept=True,
        )
    account.check()
    now = instants.written(state.clock())
    capture: Json = {
        "id": ids.transaction(),
        "status": account.captured_as,
        "amount": wish.amount.written(),
        "final_capture": True,
        "seller_protection": {
            "status": "ELIGIBLE",
            "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
        },
        "supplementary_data": {"related_ids": {"order_id": wish.order_id}},
        "payee": payee(state),
        "create_time": now,
        "update_time": now,
    }
    optional = {"invoice_id": wish.invoice_id, "custom_id": wish.custom_id}
    capture |= {name: value for name, value in optional.items() if value}
    if capture["status"] == "COMPLETED":
        capture |= _breakdown(wish.amount)
    else:
        capture["status_details"] = {"reason": "PENDING_REVIEW"}
    state.records.add(KIND, capture["id"], capture, notes={"account": account.kind})
    _tell(state, _EVENTS[capture["status"]], capture)
    return capture


def settle(state: State, capture: Json, outcome: str) -> Json:
    """End a capture that is pending: `completed`, `declined` or `denied`.

    :raises PayPalError: if it is not pending.
    """
    if capture["status"] != "PENDING":
        raise errors.refused("NOT_PENDING", f"The capture is {capture['status']}.")
    settled = {name: value for name, value in capture.items() if name != "status_details"}
    settled["update_time"] = instants.written(state.clock())
    if outcome == "completed":
        settled |= {"status": "COMPLETED"} | _breakdown(stored(capture["amount"]))
    else:
        settled["status"] = "DECLINED"
    state.records.save(capture["id"], settled)
    _tell(state, DECLINES.get(outcome, _EVENTS["COMPLETED"]), settled)
    return settled


def mark(state: State, capture: Json, given_back: int, *, reason: str | None = None) -> Json:
    """Let a capture say that so much of it went back, and why if it was not the merchant."""
    whole = given_back >= stored(capture["amount"]).minor
    changed = capture | {
        "status": "REFUNDED" if whole else "PARTIALLY_REFUNDED",
        "update_time": instants.written(state.clock()),
    }
    if reason:
        changed["status_details"] = {"reason": reason}
    return state.records.save(capture["id"], changed)


def _is_paid(state: State, invoice_id: str) -> bool:
    found = state.records.find(Find(KIND, where=[("invoice_id", "=", invoice_id)]))
    return any(capture["status"] in _IN_THE_WAY for capture in found)


def _breakdown(amount: Amount) -> Json:
    return {
        "seller_receivable_breakdown": {
            "gross_amount": amount.written(),
            "paypal_fee": amount.fee.written(),
            "net_amount": amount.of(amount.minor - amount.fee.minor).written(),
        }
    }


def _tell(state: State, event: str, capture: Json) -> None:
    amount = f"{capture['amount']['value']} {capture['amount']['currency_code']}"
    word = event.rpartition(".")[2].lower()
    events.record(
        state,
        events.Told(event, capture["id"], KIND, show(state, capture), f"Payment {word}: {amount}"),
    )
