"""Payouts: what is available, sent to the account's bank."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json, loads
from stripe_sandbox.call import Call
from stripe_sandbox.payments import balance, money
from stripe_sandbox.payments.balance import Entry

KIND = "payout"
OUTCOMES = ("paid", "failed")
_UNDER_WAY = ("pending", "in_transit")


def pay_out(call: Call, currency: str, *, with_pending: bool = False) -> Json:
    """Send everything that is available, as an automatic payout would, and let it arrive.

    :raises ApiError: if that comes to nothing, or to less.
    """
    entries = _unpaid(call, currency, with_pending=with_pending)
    total = sum(entry["net"] for entry in entries)
    if total <= 0:
        raise errors.ApiError(
            f"There is nothing to pay out: {money.written(total, currency)} is available.",
            code="balance_insufficient",
        )
    for entry in entries:
        call.change(entry, {"status": "available"})
    payout = _create(call, {"amount": total, "currency": currency}, automatic=True)
    for entry_id in (*(entry["id"] for entry in entries), payout["balance_transaction"]):
        call.state.objects.note(entry_id, payout=payout["id"])
    payout = settle(call, payout, "paid")
    call.emit("payout.reconciliation_completed", payout)
    return payout


def create(call: Call, fields: Json) -> Json:
    """Send an amount by hand; it is on its way until it is settled.

    :raises ApiError: if there is not so much.
    """
    currency = fields["currency"]
    there = balance.sums(call.state).get((currency, "available"), 0)
    if not 0 < fields["amount"] <= there:
        raise errors.ApiError(
            "You have insufficient funds in your Stripe account for this payout: "
            f"{money.written(there, currency)} is available.",
            code="balance_insufficient",
            param="amount",
        )
    return _create(call, fields, automatic=False)


def settle(call: Call, payout: Json, status: str) -> Json:
    """Say how a payout on its way ended; a failed one comes back.

    :raises ApiError: if it had ended already.
    """
    if payout["status"] not in _UNDER_WAY:
        raise errors.ApiError(f"The payout {payout['id']} is {payout['status']} already.")
    if status == "paid":
        return call.change(payout, {"status": "paid"}, event="payout.paid")
    entry = Entry("payout_failure", payout["amount"], call.now(), settled=True, category="payout")
    changes = {
        "status": "failed",
        "failure_balance_transaction": balance.book(call, payout, entry)["id"],
        "failure_code": "account_closed",
        "failure_message": "The bank account has been closed.",
    }
    return call.change(payout, changes, event="payout.failed")


def _create(call: Call, fields: Json, *, automatic: bool) -> Json:
    now = call.now()
    body = {
        "id": ids.new("po"),
        "arrival_date": now,
        "automatic": automatic,
        "description": "STRIPE PAYOUT" if automatic else None,
        "method": "standard",
        "source_type": "card",
        "type": "bank_account",
        **fields,
        "reconciliation_status": "completed" if automatic else "not_applicable",
        "status": "in_transit",
    }
    entry = Entry(KIND, -body["amount"], now, settled=True)
    body["balance_transaction"] = balance.book(call, body, entry)["id"]
    return call.create(KIND, body, event="payout.created")


def _unpaid(call: Call, currency: str, *, with_pending: bool) -> list[Json]:
    """Return what no payout has taken yet; what was sent by hand counts against it."""
    balance.settle_due(call.state)
    rows = call.state.database.rows(
        "SELECT body FROM objects WHERE kind = 'balance_transaction'"
        " AND json_extract(body, '$.currency') = ? AND json_extract(notes, '$.payout') IS NULL"
        " AND json_extract(body, '$.status') IN ('available', ?) ORDER BY seq",
        (currency, "pending" if with_pending else "available"),
    )
    return [loads(row["body"]) for row in rows]
