"""The part of the panel where a bank's word is given: on payments that wait, and disputes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.control import payments
from stripe_sandbox.pages.html import table, time_of
from stripe_sandbox.payments import delayed, disputes, money
from stripe_sandbox.state import State
from stripe_sandbox.store.objects import Page

_SHOWN = 50
_ACTIONS = {
    "settle": payments.settle_payment,
    "dispute": payments.open_dispute,
    "decide": payments.decide_dispute,
    "payout": payments.pay_out,
}


def act(state: State, action: str, form: dict[str, str]) -> None:
    """Do what a button of these sections asks, if it is one of theirs."""
    if action in _ACTIONS:
        _ACTIONS[action](state, dict(form))


def sections(call: Call) -> str:
    """Return what waits for a bank, what is disputed, and what was paid of late."""
    return f"{_pending(call)}{_disputes(call)}{_paid(call)}"


def _pending(call: Call) -> str:
    rows = [
        (
            *_told(intent),
            _buttons("settle", "payment_intent", intent, ("succeeded", "failed")),
        )
        for intent in delayed.under_way(call)
        if delayed.waits(intent)
    ]
    if not rows:
        return ""
    heads = ("Time", "Payment", "Amount", "")
    return "<h2>Payments that wait for a bank</h2>" + table("Oldest first", heads, rows)


def _disputes(call: Call) -> str:
    where = [("json_extract(body, '$.status') IN (?, ?, ?, ?)", list(disputes.OPEN))]
    found, _ = call.state.objects.page(Page(disputes.KIND, limit=_SHOWN, where=where))
    rows = [
        (
            *_told(dispute),
            escape(f"{dispute['reason']}, {dispute['status']}"),
            _buttons("decide", "dispute", dispute, ("won", "lost")),
        )
        for dispute in found
    ]
    if not rows:
        return ""
    heads = ("Time", "Dispute", "Amount", "What", "")
    return "<h2>Open disputes</h2>" + table("Newest first", heads, rows)


def _paid(call: Call) -> str:
    where: list[tuple[str, object]] = [("json_extract(body, '$.status') = 'succeeded'", [])]
    found, _ = call.state.objects.page(Page("charge", limit=5, where=where))
    rows = [
        (*_told(charge), _button("dispute", {"charge": charge["id"]}, "Dispute"))
        for charge in found
    ]
    if not rows:
        return ""
    payouts = "".join(
        _button("payout", {"currency": currency}, f"Pay out {currency.upper()}")
        for currency in sorted({charge["currency"] for charge in found})
    )
    heads = ("Time", "Charge", "Amount", "")
    shown = table("The last five", heads, rows)
    return f'<h2>Charges</h2>{shown}<div class="row">{payouts}</div>'


def _told(body: Json) -> tuple[str, str, str]:
    amount = money.written(body["amount"], body["currency"])
    return time_of(body["created"]), f"<code>{body['id']}</code>", escape(amount)


def _buttons(action: str, name: str, body: Json, outcomes: Iterable[str]) -> str:
    return "".join(
        _button(action, {name: body["id"], "status": outcome}, outcome.capitalize())
        for outcome in outcomes
    )


def _button(action: str, fields: dict[str, str], label: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    return (
        f'<form method="post" action="/_panel/{action}">{hidden}'
        f'<button class="plain">{label}</button></form>'
    )
