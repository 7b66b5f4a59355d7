"""Disputes: a customer's bank takes a payment back, and perhaps returns it."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import balance, money
from stripe_sandbox.payments.balance import Entry
from stripe_sandbox.store.objects import Page

KIND = "dispute"
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
REASONS = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated",
    "debit_not_authorized", "duplicate", "fraudulent", "general", "incorrect_account_details",
    "insufficient_funds", "noncompliant", "product_not_received", "product_unacceptable",
    "subscription_canceled", "unrecognized",
)  # fmt: skip
_FILES = frozenset({
    "cancellation_policy", "customer_communication", "customer_signature",
    "duplicate_charge_documentation", "receipt", "refund_policy", "service_documentation",
    "shipping_documentation", "uncategorized_file",
})  # fmt: skip
_DECIDING = {"winning_evidence": "won", "losing_evidence": "lost"}
_ESCALATING = "escalate_inquiry_evidence"
_DAY = 24 * 3600


def open_one(
    call: Call, charge: Json, *, reason: str, amount: int | None = None, inquiry: bool = False
) -> Json:
    """Open a dispute, or an inquiry, which takes no money yet.

    :raises ApiError: if the charge took no money, or less than is disputed, or is disputed.
    """
    disputed = charge["amount_captured"] if amount is None else amount
    _require_disputable(call, charge, disputed)
    now = call.now(charge["customer"])
    body = {
        "id": ids.new("du"),
        "amount": disputed,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "evidence": {},
        "evidence_details": {
            "due_by": now + (21 if inquiry else 9) * _DAY,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _method_details(charge, inquiry=inquiry),
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    call.change(charge, {"disputed": True}, event="charge.updated")
    dispute = call.create(KIND, body)
    if inquiry:
        call.emit("charge.dispute.created", dispute)
        return dispute
    dispute = _withdraw(call, dispute, charge, created=True)
    # A bank's word on a debit is final; only card networks hear the other side.
    return dispute if _is_card(charge) else _close(call, dispute, "lost")


def submit(call: Call, dispute: Json, evidence: Json) -> Json:
    """Hand in evidence; the published test texts decide at once.

    :raises ApiError: if it was handed in before, or the dispute is over.
    """
    _require_answerable(dispute)
    details = dispute["evidence_details"]
    text = str(evidence.get("uncategorized_text"))
    warning = "warning_" if _is_inquiry(dispute) else ""
    changes = {
        "evidence": evidence,
        "evidence_details": details
        | {"has_evidence": True, "submission_count": details["submission_count"] + 1},
        "status": f"{warning}under_review",
    }
    dispute = call.change(dispute, changes, event="charge.dispute.updated")
    if text == _ESCALATING and warning:
        return escalate(call, dispute)
    return decide(call, dispute, _DECIDING[text]) if text in _DECIDING else dispute


def stage(call: Call, dispute: Json, evidence: Json) -> Json:
    """Keep evidence without handing it in.

    :raises ApiError: if it was handed in before, or the dispute is over.
    """
    _require_answerable(dispute)
    details = dispute["evidence_details"] | {"has_evidence": True}
    changes = {"evidence": evidence, "evidence_details": details}
    return call.change(dispute, changes, event="charge.dispute.updated")


def with_evidence(call: Call, dispute: Json, given: Json) -> Json:
    """Return a dispute's evidence with what is given added.

    :raises ApiError: if a file named in it was never uploaded.
    """
    for name in _FILES & given.keys():
        if given[name]:
            call.fetch("file", given[name], f"evidence[{name}]")
    added = {name: value or None for name, value in given.items()}
    return {**dispute["evidence"], **added}


def decide(call: Call, dispute: Json, outcome: str) -> Json:
    """Let the bank decide: `won` returns the money, `lost` keeps it; an inquiry just closes.

    :raises ApiError: if it has decided already.
    """
    require_open(dispute)
    if _is_inquiry(dispute):
        return _close(call, dispute, "warning_closed")
    if outcome == "lost":
        return _close(call, dispute, "lost")
    entry = Entry(
        "adjustment",
        dispute["amount"],
        _now(call, dispute),
        settled=True,
        category="dispute_reversal",
        description=f"Chargeback reversal for {dispute['charge']}",
    )
    booked = balance.book(call, dispute, entry)
    moved = [*dispute["balance_transactions"], booked]
    changes = {"balance_transactions": moved, "is_charge_refundable": True}
    dispute = _close(call, dispute, "won", changes)
    call.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def close(call: Call, dispute: Json) -> Json:
    """Give in.

    :raises ApiError: if it is over.
    """
    return decide(call, dispute, "lost")


def escalate(call: Call, dispute: Json) -> Json:
    """Let an inquiry become a dispute that takes the money.

    :raises ApiError: if it is none, or over.
    """
    require_open(dispute)
    if not _is_inquiry(dispute):
        raise errors.ApiError(f"The dispute {dispute['id']} is no inquiry.")
    charge = call.fetch("charge", dispute["charge"], "charge")
    changes = {
        "status": "needs_response",
        "is_charge_refundable": False,
        "payment_method_details": _method_details(charge, inquiry=False),
    }
    dispute = call.change(dispute, changes, event="charge.dispute.updated")
    return _withdraw(call, dispute, charge, created=False)


def require_open(dispute: Json) -> None:
    """Refuse what is over.

    :raises ApiError: without a code, as Stripe's.
    """
    if dispute["status"] not in OPEN:
        raise errors.ApiError("This dispute is already closed")


def require_refundable(call: Call, charge: Json) -> None:
    """Refuse to give back what a bank has taken back.

    :raises ApiError: `charge_disputed`.
    """
    for dispute in _of(call, charge) if charge["disputed"] else ():
        if not dispute["is_charge_refundable"]:
            raise errors.ApiError(
                f"Charge {charge['id']} has been charged back; cannot issue a refund.",
                code="charge_disputed",
            )


def _withdraw(call: Call, dispute: Json, charge: Json, *, created: bool) -> Json:
    entry = Entry(
        "adjustment",
        -dispute["amount"],
        _now(call, dispute),
        fee=money.dispute_fee(dispute["currency"]),
        fee_for="Dispute fee",
        settled=True,
        category="dispute",
        description=f"Chargeback withdrawal for {charge['id']}",
    )
    dispute = call.change(dispute, {"balance_transactions": [balance.book(call, dispute, entry)]})
    if created:
        call.emit("charge.dispute.created", dispute)
    call.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _close(call: Call, dispute: Json, status: str, changes: Json | None = None) -> Json:
    told = {"status": status, **(changes or {})}
    return call.change(dispute, told, event="charge.dispute.closed")


def _of(call: Call, charge: Json) -> list[Json]:
    where = [("json_extract(body, '$.charge') = ?", charge["id"])]
    found, _ = call.state.objects.page(Page(KIND, limit=100, where=where))
    return found


def _now(call: Call, dispute: Json) -> int:
    charge = call.fetch("charge", dispute["charge"], "charge")
    return call.now(charge["customer"])


def _is_card(charge: Json) -> bool:
    return bool(charge["payment_method_details"]["type"] == "card")


def _is_inquiry(dispute: Json) -> bool:
    return str(dispute["status"]).startswith("warning_")


def _method_details(charge: Json, *, inquiry: bool) -> Json | None:
    if not _is_card(charge):
        return None
    brand = charge["payment_method_details"]["card"]["brand"]
    case = "inquiry" if inquiry else "chargeback"
    card = {"brand": brand, "case_type": case, "network": brand, "network_reason_code": "10.4"}
    return {"type": "card", "card": card}


def _require_answerable(dispute: Json) -> None:
    require_open(dispute)
    if dispute["status"].endswith("under_review"):
        raise errors.ApiError(
            f"The evidence for the dispute {dispute['id']} has been submitted, and cannot be "
            "changed any more."
        )


def _require_disputable(call: Call, charge: Json, amount: int) -> None:
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise errors.ApiError(f"The charge {charge['id']} took no money that could be disputed.")
    if not 0 < amount <= charge["amount_captured"]:
        raise errors.ApiError(
            f"From 1 to {charge['amount_captured']} can be disputed, not {amount}.", param="amount"
        )
    if any(dispute["status"] in OPEN for dispute in _of(call, charge)):
        raise errors.ApiError(f"The charge {charge['id']} is disputed already.")
