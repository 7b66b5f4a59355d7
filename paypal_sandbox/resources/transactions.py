"""The search of transactions: what moved, and what PayPal kept of it."""

from __future__ import annotations

from paypal_sandbox import accounts, errors, instants
from paypal_sandbox.call import Call
from paypal_sandbox.links import link
from paypal_sandbox.money import stored
from paypal_sandbox.payments import captures, refunds
from paypal_sandbox.records import Find
from paypal_sandbox.routes import Reply, operation
from paypal_sandbox.state import State
from stripe_sandbox.bodies import Json

_PATH = "/v1/reporting/transactions"
_LONGEST = 31 * 24 * 3600
# A payment agreed to beforehand; a refund by the merchant; a reversal by PayPal.
_PAYMENT, _REFUND, _REVERSAL = "T0003", "T1107", "T1106"
_STATUS = {
    "COMPLETED": "S", "PARTIALLY_REFUNDED": "S", "REFUNDED": "V", "PENDING": "P",
    "DECLINED": "D", "FAILED": "D", "CANCELLED": "D",
}  # fmt: skip
_MOVING = ("S", "V")


@operation("GET", _PATH)
def listed(call: Call) -> Reply:
    """List transactions of a stretch of time, oldest first."""
    start, end = (_date(call, name) for name in ("start_date", "end_date"))
    if end < start or end - start > _LONGEST:
        raise errors.invalid(
            "INVALID_PARAMETER_VALUE",
            "Date range is greater than 31 days, or ends before it starts.",
            "end_date",
            location="query",
        )
    size = call.number("page_size", 100, most=500)
    page = call.number("page", 1, most=100_000)
    refreshed = call.now() - call.state.lag
    found = [one for one in _transactions(call.state, start, min(end, refreshed))
             if _matches(one["transaction_info"], call.query)]  # fmt: skip
    found.sort(key=lambda one: one["transaction_info"]["transaction_initiation_date"])
    shown = found[(page - 1) * size : page * size]
    return Reply(
        body={
            "transaction_details": [_fields(one, call.query) for one in shown],
            "account_number": call.state.merchant_id,
            "start_date": instants.written(start),
            "end_date": instants.written(end),
            "last_refreshed_datetime": instants.written(refreshed),
            "page": page,
            "total_items": len(found),
            "total_pages": -(-len(found) // size),
            "links": [link(call.base_url, "self", f"{_PATH}?{call.request.query_string}")],
        }
    )


def _date(call: Call, name: str) -> float:
    if name not in call.query:
        raise errors.missing(name, location="query")
    return instants.read(call.query[name], name)


def _transactions(state: State, start: float, end: float) -> list[Json]:
    when = [
        ("create_time", ">=", instants.written(start)),
        ("create_time", "<=", instants.written(end)),
    ]
    paid = state.records.find(Find(captures.KIND, where=when))
    given_back = state.records.find(Find(refunds.KIND, where=when))
    return [_payment(state, one) for one in paid] + [_refund(state, one) for one in given_back]


def _payment(state: State, capture: Json) -> Json:
    info = _info(capture, _PAYMENT, 1)
    fee = capture.get("seller_receivable_breakdown", {}).get("paypal_fee")
    if fee:
        amount = stored(fee)
        info["fee_amount"] = amount.of(-amount.minor).written()
    account = accounts.BY_KIND[state.records.notes(capture["id"])["account"]]
    payer = accounts.payer(account, "")
    return {
        "transaction_info": info,
        "payer_info": {
            "email_address": payer["email_address"],
            "payer_status": "Y",
            "payer_name": payer["name"],
            "country_code": payer["address"]["country_code"],
        },
    }


def _refund(state: State, refund: Json) -> Json:
    code = _REVERSAL if refunds.is_reversal(state, refund) else _REFUND
    info = _info(refund, code, -1) | {
        "paypal_reference_id": state.records.notes(refund["id"])["capture"],
        "paypal_reference_id_type": "TXN",
    }
    return {"transaction_info": info, "payer_info": {}}


def _info(body: Json, code: str, sign: int) -> Json:
    amount = stored(body["amount"])
    found = {
        "transaction_id": body["id"],
        "transaction_event_code": code,
        "transaction_initiation_date": body["create_time"],
        "transaction_updated_date": body["update_time"],
        "transaction_amount": amount.of(sign * amount.minor).written(),
        "transaction_status": _STATUS[body["status"]],
        "invoice_id": body.get("invoice_id"),
        "custom_field": body.get("custom_id"),
        "protection_eligibility": "01",
        "instrument_type": "PAYPAL",
    }
    return {name: value for name, value in found.items() if value is not None}


def _matches(info: Json, query: dict[str, str]) -> bool:
    if query.get("balance_affecting_records_only", "Y") == "Y":
        moves = info["transaction_status"] in _MOVING
    else:
        moves = True
    wanted = {
        "transaction_id": info["transaction_id"],
        "transaction_status": info["transaction_status"],
        "transaction_type": info["transaction_event_code"],
        "transaction_currency": info["transaction_amount"]["currency_code"],
    }
    return moves and all(query.get(name, value) == value for name, value in wanted.items())


def _fields(transaction: Json, query: dict[str, str]) -> Json:
    fields = query.get("fields", "transaction_info").split(",")
    if "all" in fields:
        return transaction
    return {name: value for name, value in transaction.items() if name in fields}
