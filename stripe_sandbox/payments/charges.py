"""Charges and what they leave on the balance."""

from __future__ import annotations

from stripe_sandbox import ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import methods, money
from stripe_sandbox.payments.declines import Decline

_DAY = 24 * 3600


def succeed(call: Call, intent: Json, method: Json, *, captured: bool, challenged: bool) -> Json:
    """Charge a payment method for an intent."""
    card = methods.card_of(call, method)
    body = _body(call, intent, method, challenged=challenged) | {
        "id": ids.new("ch"),
        "captured": captured,
        "amount_captured": intent["amount"] if captured else 0,
        "outcome": _outcome(None),
        "paid": True,
        "status": "succeeded",
    }
    if card.disputed:
        # Disputes are not modelled yet; the mark says what this card stands for.
        body["metadata"] = {**body["metadata"], "stand_in_dispute": card.disputed}
    if captured:
        at_once = card.name == "bypassPending"
        body["balance_transaction"] = book(call, body, intent["amount"], "charge", settled=at_once)
    return call.create("charge", body, event="charge.succeeded")


def fail(call: Call, intent: Json, method: Json, decline: Decline) -> Json:
    """Record a charge that was refused."""
    body = _body(call, intent, method, challenged=False) | {
        "id": ids.new("ch"),
        "captured": False,
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _outcome(decline),
        "paid": False,
        "status": "failed",
    }
    return call.create("charge", body, event="charge.failed")


def capture(call: Call, charge: Json, amount: int) -> Json:
    """Take what was only reserved; the rest is released."""
    changes = {
        "captured": True,
        "amount_captured": amount,
        "amount_refunded": charge["amount"] - amount,
        "balance_transaction": book(call, charge, amount, "charge", settled=False),
    }
    return call.change(charge, changes, event="charge.captured")


def release(call: Call, charge: Json) -> Json:
    """Let go of what was reserved."""
    changes = {"amount_refunded": charge["amount"], "refunded": True}
    return call.change(charge, changes, event="charge.refunded")


def book(call: Call, source: Json, amount: int, kind: str, *, settled: bool) -> str:
    """Enter an amount into the balance, with the fee if it is a charge; return the entry's id."""
    now = call.now(source.get("customer"))
    cost = money.fee(amount) if kind == "charge" else 0
    entry = call.create(
        "balance_transaction",
        {
            "id": ids.new("txn"),
            "amount": amount,
            "available_on": now if settled else now + 2 * _DAY,
            "balance_type": "payments",
            "created": now,
            "currency": source["currency"],
            "description": source["description"],
            "fee": cost,
            "fee_details": [_fee_detail(cost, source["currency"])] if cost else [],
            "net": amount - cost,
            "reporting_category": kind,
            "source": source["id"],
            "status": "available" if settled else "pending",
            "type": kind,
        },
    )
    return str(entry["id"])


def _body(call: Call, intent: Json, method: Json, *, challenged: bool) -> Json:
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
        "payment_method_details": _details(intent, method, challenged=challenged),
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "transfer_group": intent["transfer_group"],
    }


def _details(intent: Json, method: Json, *, challenged: bool) -> Json:
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


def _fee_detail(amount: int, currency: str) -> Json:
    return {
        "amount": amount,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
