"""The balance: an entry for everything that moved, and what there is to pay out."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_sandbox import ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.state import State

KIND = "balance_transaction"
_DAY = 24 * 3600
_CATEGORIES = {
    "payment": "charge",
    "payment_refund": "refund",
    "adjustment": "dispute",
}


@dataclass(frozen=True)
class Entry:
    """What moved: a gross amount, what was taken of it, and whether it is there at once."""

    kind: str
    amount: int
    at: int
    fee: int = 0
    fee_for: str = "Stripe processing fees"
    settled: bool = False
    category: str | None = None
    description: str | None = None


def book(call: Call, source: Json, entry: Entry) -> Json:
    """Enter what moved because of an object, in that object's currency."""
    fee_detail = {
        "amount": entry.fee,
        "currency": source["currency"],
        "description": entry.fee_for,
        "type": "stripe_fee",
    }
    return call.create(
        KIND,
        {
            "id": ids.new("txn"),
            "amount": entry.amount,
            "available_on": entry.at if entry.settled else entry.at + 2 * _DAY,
            "balance_type": "payments",
            "created": entry.at,
            "currency": source["currency"],
            "description": entry.description or source.get("description"),
            "fee": entry.fee,
            "fee_details": [fee_detail] if entry.fee else [],
            "net": entry.amount - entry.fee,
            "reporting_category": entry.category or _CATEGORIES.get(entry.kind, entry.kind),
            "source": source["id"],
            "status": "available" if entry.settled else "pending",
            "type": entry.kind,
        },
    )


def settle_due(state: State) -> None:
    """Make available what was pending long enough."""
    state.database.run(
        "UPDATE objects SET body = json_set(body, '$.status', 'available')"
        " WHERE kind = 'balance_transaction' AND json_extract(body, '$.status') = 'pending'"
        " AND json_extract(body, '$.available_on') <= ?",
        (int(state.clock()),),
    )


def sums(state: State) -> dict[tuple[str, str], int]:
    """Return what each currency comes to, by (currency, status)."""
    settle_due(state)
    rows = state.database.rows(
        "SELECT json_extract(body, '$.currency') AS currency,"
        " json_extract(body, '$.status') AS status, sum(json_extract(body, '$.net')) AS net"
        " FROM objects WHERE kind = 'balance_transaction' GROUP BY 1, 2"
    )
    return {(row["currency"], row["status"]): row["net"] for row in rows}
