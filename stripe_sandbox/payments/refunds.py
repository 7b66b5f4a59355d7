"""Money given back."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import balance, disputes, methods, money
from stripe_sandbox.payments.balance import Entry

_DESTINATIONS: dict[str, Json] = {
    "card": {"type": "card", "card": {"type": "refund"}},
    "sepa_debit": {"type": "eu_bank_transfer", "eu_bank_transfer": {}},
    "pix": {"type": "pix", "pix": {}},
}


def create(call: Call, charge: Json, amount: int | None, fields: Json) -> Json:
    """Give back a charge, or part of it.

    :raises ApiError: if there is nothing to give back, less than that, or a bank took it back.
    """
    left = charge["amount"] - charge["amount_refunded"]
    _require_refundable(charge, left)
    disputes.require_refundable(call, charge)
    given = left if amount is None else amount
    _require_within(charge, given, left)
    method = call.fetch("payment_method", charge["payment_method"], "payment_method")
    kind = method["type"]
    outcome = methods.card_of(call, method).refund if kind == "card" else "succeeded"
    body = {
        "id": ids.new("re" if kind == "card" else "pyr"),
        "amount": given,
        "charge": charge["id"],
        "currency": charge["currency"],
        "created": call.now(charge["customer"]),
        "customer": charge["customer"],
        "description": None,
        "destination_details": _DESTINATIONS[kind],
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        # A refund that fails does so later: it is first on its way like any other.
        "status": "succeeded" if outcome == "failed" else outcome,
        **fields,
    }
    booked = "refund" if kind == "card" else "payment_refund"
    body["balance_transaction"] = _book(call, body, booked, -given)
    refund = call.create("refund", body, event="refund.created")
    _count(call, charge, given)
    return settle(call, refund, "failed") if outcome == "failed" else refund


def settle(call: Call, refund: Json, status: str) -> Json:
    """Say how a refund on its way ended; a failed one gives the money back to the account.

    :raises ApiError: if it had ended already.
    """
    if refund["status"] in ("failed", "canceled"):
        raise errors.ApiError(f"The refund {refund['id']} is {refund['status']} already.")
    changes: Json = {"status": status}
    if status == "failed":
        charge = call.fetch("charge", refund["charge"], "charge")
        call.change(
            charge,
            {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False},
            event="charge.updated",
        )
        changes["failure_reason"] = "expired_or_canceled_card"
        changes["failure_balance_transaction"] = _book(
            call, refund, "refund_failure", refund["amount"]
        )
    changed = call.change(refund, changes, event="refund.updated")
    if status == "failed":
        call.emit("refund.failed", changed)
    return changed


def _book(call: Call, refund: Json, kind: str, amount: int) -> str:
    entry = Entry(kind, amount, call.now(refund["customer"]))
    return str(balance.book(call, refund, entry)["id"])


def _count(call: Call, charge: Json, amount: int) -> None:
    returned = charge["amount_refunded"] + amount
    call.change(
        charge,
        {"amount_refunded": returned, "refunded": returned == charge["amount"]},
        event="charge.refunded",
    )


def _require_refundable(charge: Json, left: int) -> None:
    if charge["status"] != "succeeded":
        raise errors.ApiError(
            f"Charge {charge['id']} has not succeeded, so it cannot be refunded.", param="charge"
        )
    if not charge["captured"]:
        raise errors.ApiError(
            f"Charge {charge['id']} has not been captured, so there is nothing to refund. Cancel "
            "its PaymentIntent instead.",
            param="charge",
        )
    if left <= 0 or charge["refunded"]:
        raise errors.ApiError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )


def _require_within(charge: Json, given: int, left: int) -> None:
    if given < 1:
        raise errors.ApiError(
            "Invalid positive integer", code="parameter_invalid_integer", param="amount"
        )
    if given > left:
        currency = charge["currency"]
        raise errors.ApiError(
            f"Refund amount ({money.written(given, currency)}) is greater than unrefunded amount "
            f"on charge ({money.written(left, currency)})",
            param="amount",
        )
