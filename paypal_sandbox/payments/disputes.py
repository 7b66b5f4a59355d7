"""Cases: a payer complains, the merchant answers or gives in, PayPal decides."""

from __future__ import annotations

from paypal_sandbox import accounts, errors, ids, instants
from paypal_sandbox.links import link
from paypal_sandbox.money import Amount, stored
from paypal_sandbox.payments import captures, refunds
from paypal_sandbox.state import State
from paypal_sandbox.webhooks import events
from stripe_sandbox.bodies import Json

KIND = "dispute"
PATH = "/v1/customer/disputes/"
REASONS = (
    "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
    "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED",
    "UNAUTHORISED",
    "CREDIT_NOT_PROCESSED",
    "DUPLICATE_TRANSACTION",
    "INCORRECT_AMOUNT",
    "PAYMENT_BY_OTHER_MEANS",
    "CANCELED_RECURRING_BILLING",
    "PROBLEM_WITH_REMITTANCE",
    "OTHER",
)
_WAITING = "WAITING_FOR_SELLER_RESPONSE"
_STATES = {
    _WAITING: "REQUIRED_ACTION",
    "UNDER_REVIEW": "UNDER_PAYPAL_REVIEW",
    "RESOLVED": "RESOLVED",
}
_TO_ANSWER = 10 * 24 * 3600
_SUMMARY = (
    "dispute_id", "create_time", "update_time", "reason", "status", "dispute_amount",
    "dispute_life_cycle_stage", "dispute_channel", "seller_response_due_date",
)  # fmt: skip


def show(state: State, dispute: Json) -> Json:
    """Return a case with what may be done about it."""
    path = f"{PATH}{dispute['dispute_id']}"
    links = [link(state.base_url, "self", path)]
    if dispute["status"] == _WAITING:
        links.append(link(state.base_url, "provide_evidence", f"{path}/provide-evidence", "POST"))
    if dispute["status"] != "RESOLVED":
        links.append(link(state.base_url, "accept_claim", f"{path}/accept-claim", "POST"))
    return dispute | {"links": links}


def summary(state: State, dispute: Json) -> Json:
    """Return a case as lists show it."""
    brief = {name: dispute[name] for name in _SUMMARY if name in dispute}
    path = f"{PATH}{dispute['dispute_id']}"
    return brief | {
        "dispute_state": _STATES[dispute["status"]],
        "links": [link(state.base_url, "self", path)],
    }


def open_case(state: State, capture: Json, reason: str, amount: Amount) -> Json:
    """Let a payer complain about a payment.

    :raises PayPalError: if there is nothing to complain about.
    """
    if capture["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"):
        raise errors.refused("NOT_COMPLETED", f"The capture is {capture['status']}.")
    now, dispute_id = instants.fine(state.clock()), ids.dispute()
    dispute: Json = {
        "dispute_id": dispute_id,
        "create_time": now,
        "update_time": now,
        "disputed_transactions": [_transaction(state, capture)],
        "reason": reason,
        "status": _WAITING,
        "dispute_amount": amount.written(),
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_channel": "INTERNAL",
        "messages": [
            {"posted_by": "BUYER", "time_posted": now, "content": "I want my money back."}
        ],
        "seller_response_due_date": instants.fine(state.clock() + _TO_ANSWER),
        "allowed_response_options": {"accept_claim": {"accept_claim_types": ["REFUND"]}},
    }
    state.records.add(KIND, dispute_id, dispute, owner=capture["id"])
    state.records.note(capture["id"], disputed=True)
    _tell(state, "CREATED", dispute)
    return dispute


def answer(state: State, dispute: Json, evidences: list[Json]) -> Json:
    """Let the merchant show evidence.

    :raises PayPalError: if none is waited for.
    """
    if dispute["status"] != _WAITING:
        raise _not_allowed("PROVIDE_EVIDENCE")
    now = instants.fine(state.clock())
    given = [evidence | {"source": "SUBMITTED_BY_SELLER", "date": now} for evidence in evidences]
    changed = dispute | {
        "status": "UNDER_REVIEW",
        "update_time": now,
        "evidences": [*dispute.get("evidences", []), *given],
    }
    changed.pop("seller_response_due_date", None)
    state.records.save(dispute["dispute_id"], changed)
    _tell(state, "UPDATED", changed)
    return changed


def give_in(state: State, dispute: Json) -> Json:
    """Let the merchant accept the claim: the payer gets the money back.

    :raises PayPalError: if the case is over.
    """
    if dispute["status"] == "RESOLVED":
        raise _not_allowed("ACCEPT_CLAIM")
    return decide(state, dispute, for_buyer=True)


def decide(state: State, dispute: Json, *, for_buyer: bool) -> Json:
    """End a case.

    :raises PayPalError: if it is over.
    """
    if dispute["status"] == "RESOLVED":
        raise errors.refused("ALREADY_RESOLVED", "The case is over.")
    capture_id = dispute["disputed_transactions"][0]["seller_transaction_id"]
    capture = state.records.get(captures.KIND, capture_id)
    now = instants.fine(state.clock())
    changed = dispute | {"status": "RESOLVED", "update_time": now}
    changed.pop("seller_response_due_date", None)
    state.records.note(capture_id, disputed=False)
    if not for_buyer or capture is None:
        changed["dispute_outcome"] = {"outcome_code": "RESOLVED_SELLER_FAVOUR"}
        changed["adjudications"] = [_adjudication("PAYOUT_TO_SELLER", now)]
    else:
        refunds.reverse(state, capture, stored(dispute["dispute_amount"]))
        changed["dispute_outcome"] = {
            "outcome_code": "RESOLVED_BUYER_FAVOUR",
            "amount_refunded": dispute["dispute_amount"],
        }
        changed["adjudications"] = [_adjudication("RECOVER_FROM_SELLER", now)]
        changed["money_movements"] = [
            {
                "affected_party": "SELLER",
                "amount": dispute["dispute_amount"],
                "initiated_time": now,
                "type": "DEBIT",
                "reason": "DISPUTE_SETTLEMENT",
            }
        ]
    state.records.save(dispute["dispute_id"], changed)
    _tell(state, "RESOLVED", changed)
    return changed


def _transaction(state: State, capture: Json) -> Json:
    account = accounts.BY_KIND[state.records.notes(capture["id"])["account"]]
    payee = captures.payee(state)
    found = {
        "buyer_transaction_id": ids.transaction(),
        "seller_transaction_id": capture["id"],
        "create_time": capture["create_time"],
        "transaction_status": capture["status"],
        "gross_amount": capture["amount"],
        "invoice_number": capture.get("invoice_id"),
        "custom": capture.get("custom_id"),
        "buyer": {"name": f"{account.given_name} Standin"},
        "seller": {
            "email": payee["email_address"],
            "merchant_id": payee["merchant_id"],
            "name": "Stand-in Merchant",
        },
    }
    return {name: value for name, value in found.items() if value is not None}


def _adjudication(kind: str, now: str) -> Json:
    return {
        "type": kind,
        "adjudication_time": now,
        "reason": "DECISION_BASED_ON_AVAILABLE_INFORMATION",
        "dispute_life_cycle_stage": "CHARGEBACK",
    }


def _not_allowed(action: str) -> errors.PayPalError:
    return errors.refused(
        "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE",
        f"{action} is not among the links of the dispute as it is now.",
    )


def _tell(state: State, word: str, dispute: Json) -> None:
    dispute_id = dispute["dispute_id"]
    told = {
        "CREATED": f"A new dispute opened with Case # {dispute_id}",
        "UPDATED": f"A dispute was updated with case # {dispute_id}",
        "RESOLVED": f"A dispute was resolved with case # {dispute_id}",
    }
    resource = show(state, dispute)
    event = events.Told(
        f"CUSTOMER.DISPUTE.{word}", dispute_id, KIND, resource, told[word], resource_version=None
    )
    events.record(state, event)
