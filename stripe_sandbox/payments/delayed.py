"""Payments whose outcome comes later: a bank is asked (SEPA Direct Debit), or must pay (Pix)."""

from __future__ import annotations

import math

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json, loads
from stripe_sandbox.call import Call
from stripe_sandbox.payments import accounts, brcode, charges, disputes, mandates, methods
from stripe_sandbox.payments.accounts import Failure
from stripe_sandbox.payments.mandates import Leave
from stripe_sandbox.store import settings
from stripe_sandbox.store.database import Database

SETTLE_AFTER = 10.0
OUTCOMES = ("succeeded", "failed", "expired")
_SETTING = "settle_after"
# How much longer the published accounts of late outcomes take.
_LATE = 180.0
_PIX_SECONDS = (10, 1_209_600)
_PIX_DEFAULT = 24 * 3600
_EXPIRED = Failure(
    "payment_intent_payment_attempt_expired",
    "The payment expired before it was made.",
    "payment_intent_payment_attempt_expired",
)


def settle_after(database: Database) -> float:
    """Return after how many seconds a debit ends by itself."""
    return float(settings.read(database, _SETTING, SETTLE_AFTER))


def set_settle_after(database: Database, seconds: object) -> None:
    """Say after how many seconds a debit ends by itself.

    :raises ApiError: if that is no such number.
    """
    try:
        found = float(str(seconds))
    except ValueError:
        found = -1.0
    if not 0 <= found < math.inf:
        raise errors.ApiError("`settle_after` is a number of seconds.", param=_SETTING)
    settings.write(database, _SETTING, found)


def begin(call: Call, intent: Json, method: Json, leave: Leave) -> Json:
    """Confirm an intent with a method whose outcome comes later.

    :raises ApiError: if the money is only to be reserved, or an account's holder gave no leave.
    """
    if intent["capture_method"] == "manual":
        raise errors.ApiError(
            f"The payment method type {method['type']} cannot be captured manually.",
            param="capture_method",
        )
    if method["type"] == "pix":
        return _show_code(call, intent, method)
    mandate = mandates.required(call, intent, method, leave)
    charge = charges.begin(call, intent, method, mandate)
    methods.used(call, intent, method)
    late = _LATE if methods.account_of(call, method).scenario.late else 0.0
    due = call.state.clock() + settle_after(call.state.database) + late
    call.state.objects.note(intent["id"], due=due)
    changes = {
        "status": "processing",
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "payment_method": method["id"],
    }
    return call.change(intent, changes, event="payment_intent.processing")


def settle(call: Call, intent: Json, outcome: str, failure: Failure | None = None) -> Json:
    """End a payment that waits for a bank.

    :raises ApiError: if it waits for none, or there is no such outcome.
    """
    if outcome not in OUTCOMES:
        raise errors.not_a_choice("status", OUTCOMES)
    if not waits(intent):
        raise errors.ApiError(f"The PaymentIntent {intent['id']} does not wait for a bank.")
    method = call.fetch("payment_method", intent["payment_method"], "payment_method")
    if outcome == "succeeded":
        return _received(call, intent, method)
    if method["type"] == "pix":
        return _unpaid(call, intent, method, failure or _EXPIRED)
    return _bounced(call, intent, method, failure or accounts.FAILED)


def waits(intent: Json) -> bool:
    """Say whether a bank's word is all that an intent waits for."""
    return intent["status"] == "processing" or code(intent) is not None


def code(intent: Json) -> Json | None:
    """Return the Pix code an intent shows, if it does."""
    action = intent["next_action"] or {}
    found: Json | None = action.get("pix_display_qr_code")
    return found if intent["status"] == "requires_action" else None


def current(call: Call, intent: Json) -> Json:
    """Return an intent as it is now: one whose outcome is due has ended."""
    shown = code(intent)
    if shown and shown["expires_at"] <= call.now(intent["customer"]):
        return settle(call, intent, "expired")
    if intent["status"] != "processing":
        return intent
    due = call.state.objects.notes(intent["id"]).get("due")
    if due is None or due > call.state.clock():
        return intent
    method = call.fetch("payment_method", intent["payment_method"], "payment_method")
    failure = methods.account_of(call, method).scenario.failure
    return settle(call, intent, "failed" if failure else "succeeded", failure)


def under_way(call: Call) -> list[Json]:
    """Return every intent that may wait for a bank."""
    rows = call.state.database.rows(
        "SELECT body FROM objects WHERE kind = 'payment_intent'"
        " AND json_extract(body, '$.status') IN ('processing', 'requires_action') ORDER BY seq"
    )
    return [loads(row["body"]) for row in rows]


def drop(call: Call, intent: Json) -> None:
    """Call a debit off."""
    charges.bounce(call, _charge(call, intent), accounts.CANCELED)


def _show_code(call: Call, intent: Json, method: Json) -> Json:
    action = {
        "type": "pix_display_qr_code",
        "pix_display_qr_code": {
            "data": brcode.written(intent["id"], intent["amount"]),
            "expires_at": _expiry(call, intent),
            "hosted_instructions_url": f"{call.base_url}/pix/{intent['id']}"
            f"?secret={intent['client_secret']}",
            "image_url_svg": f"{call.base_url}/_assets/pix.svg",
        },
    }
    changes = {
        "status": "requires_action",
        "last_payment_error": None,
        "next_action": action,
        "payment_method": method["id"],
    }
    return call.change(intent, changes, event="payment_intent.requires_action")


def _expiry(call: Call, intent: Json) -> int:
    options = (intent["payment_method_options"] or {}).get("pix") or {}
    now = call.now(intent["customer"])
    seconds = options.get("expires_after_seconds") or _PIX_DEFAULT
    expires_at = int(options.get("expires_at") or now + seconds)
    soonest, latest = _PIX_SECONDS
    if not soonest <= expires_at - now <= latest:
        raise errors.ApiError(
            f"A Pix payment must expire between {soonest} and {latest} seconds from now.",
            param="payment_method_options[pix]",
        )
    return expires_at


def _received(call: Call, intent: Json, method: Json) -> Json:
    if method["type"] == "pix":
        charge = charges.receive_at_once(call, intent, method)
        methods.used(call, intent | {"setup_future_usage": None}, method)
    else:
        charge = charges.receive(call, _charge(call, intent))
    changes = {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
    }
    paid = call.change(intent, changes, event="payment_intent.succeeded")
    if method["type"] == "sepa_debit" and methods.account_of(call, method).scenario.disputed:
        disputes.open_one(call, charge, reason="debit_not_authorized")
    return paid


def _bounced(call: Call, intent: Json, method: Json, failure: Failure) -> Json:
    charge = charges.bounce(call, _charge(call, intent), failure)
    return _unpaid(call, intent, method, failure, charge=charge["id"])


def _unpaid(
    call: Call, intent: Json, method: Json, failure: Failure, *, charge: str | None = None
) -> Json:
    told: Json = {
        "code": failure.intent_code,
        "message": failure.message,
        "payment_method": method,
        "type": "invalid_request_error",
    }
    if charge:
        told["charge"] = charge
    changes = {
        "status": "requires_payment_method",
        "last_payment_error": told,
        "next_action": None,
        "payment_method": None,
    }
    return call.change(intent, changes, event="payment_intent.payment_failed")


def _charge(call: Call, intent: Json) -> Json:
    return call.fetch("charge", intent["latest_charge"], "latest_charge")
