"""Charges, and what they leave on the balance."""

from __future__ import annotations

from stripe_sandbox import ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import balance, details, methods, money
from stripe_sandbox.payments.accounts import Failure
from stripe_sandbox.payments.balance import Entry
from stripe_sandbox.payments.declines import Decline


def succeed(call: Call, intent: Json, method: Json, *, captured: bool, challenged: bool) -> Json:
    """Charge a payment method for an intent."""
    card = methods.card_of(call, method)
    body = _body(call, intent, method) | {
        "id": ids.new("ch"),
        "payment_method_details": details.of(intent, method, challenged=challenged),
        "captured": captured,
        "amount_captured": intent["amount"] if captured else 0,
        "outcome": _outcome(None),
        "paid": True,
        "status": "succeeded",
    }
    if captured:
        at_once = card.name == "bypassPending"
        body["balance_transaction"] = _book(call, body, intent["amount"], settled=at_once)
    return call.create("charge", body, event="charge.succeeded")


def fail(call: Call, intent: Json, method: Json, decline: Decline) -> Json:
    """Record a charge that was refused."""
    body = _body(call, intent, method) | {
        "id": ids.new("ch"),
        "captured": False,
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _outcome(decline),
        "paid": False,
        "status": "failed",
    }
    return call.create("charge", body, event="charge.failed")


def begin(call: Call, intent: Json, method: Json, mandate: str | None) -> Json:
    """Ask a bank for the money; it will say later whether it pays."""
    told = details.of(intent, method, challenged=False, mandate=mandate)
    body = _body(call, intent, method) | {
        "id": ids.new("py"),
        "payment_method_details": told,
        "captured": True,
        "amount_captured": intent["amount"],
        "outcome": _outcome(None),
        "paid": False,
        "status": "pending",
    }
    return call.create("charge", body, event="charge.pending")


def receive(call: Call, charge: Json) -> Json:
    """Have the money a bank was asked for."""
    changes: Json = {
        "status": "succeeded",
        "paid": True,
        "balance_transaction": _book(call, charge, charge["amount"], settled=False),
    }
    return call.change(charge, changes, event="charge.succeeded")


def receive_at_once(call: Call, intent: Json, method: Json) -> Json:
    """Have money that a bank sent without being asked before."""
    told = details.pix_paid(details.of(intent, method, challenged=False))
    body = _body(call, intent, method) | {
        "id": ids.new("py"),
        "payment_method_details": told,
        "captured": True,
        "amount_captured": intent["amount"],
        "outcome": _outcome(None),
        "paid": True,
        "status": "succeeded",
    }
    body["balance_transaction"] = _book(call, body, intent["amount"], settled=False)
    return call.create("charge", body, event="charge.succeeded")


def bounce(call: Call, charge: Json, failure: Failure) -> Json:
    """Record that a bank did not pay."""
    changes = {
        "status": "failed",
        "amount_captured": 0,
        "captured": False,
        "failure_code": failure.code,
        "failure_message": failure.message,
    }
    return call.change(charge, changes, event="charge.failed")


def capture(call: Call, charge: Json, amount: int) -> Json:
    """Take what was only reserved; the rest is released."""
    changes = {
        "captured": True,
        "amount_captured": amount,
        "amount_refunded": charge["amount"] - amount,
        "balance_transaction": _book(call, charge, amount, settled=False),
    }
    return call.change(charge, changes, event="charge.captured")


def release(call: Call, charge: Json) -> Json:
    """Let go of what was reserved."""
    changes = {"amount_refunded": charge["amount"], "refunded": True}
    return call.change(charge, changes, event="charge.refunded")


def _book(call: Call, charge: Json, amount: int, *, settled: bool) -> str:
    kind = charge["payment_method_details"]["type"]
    entry = Entry(
        "charge" if kind == "card" else "payment",
        amount,
        call.now(charge["customer"]),
        fee=money.fee(amount, kind),
        settled=settled,
    )
    return str(balance.book(call, charge, entry)["id"])


def _body(call: Call, intent: Json, method: Json) -> Json:
    """Return what every charge for an intent has, however it ends."""
    return {
        "amount": intent["amount"],
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": intent["statement_descriptor"] or "STAND-IN",
        "created": call.now(intent["customer"]),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "fraud_details": {},
        "metadata": intent["metadata"],
        "on_behalf_of": intent["on_behalf_of"],
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details.of(intent, method, challenged=False),
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "transfer_group": intent["transfer_group"],
    }


def _outcome(decline: Decline | None) -> Json:
    if decline is None:
        return {
            "network_status": "approved_by_network",
            "risk_level": "normal",
            "risk_score": 20,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    blocked = decline.outcome == "blocked"
    return {
        "advice_code": decline.advice,
        "network_decline_code": None if blocked else "05",
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": decline.reason,
        "risk_level": "highest" if blocked else "normal",
        "risk_score": 85 if blocked else 20,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": decline.outcome,
    }
