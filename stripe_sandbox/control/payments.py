"""What a bank would do: end a payment, dispute one, pay out, renew a card."""

from __future__ import annotations

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.payments import delayed, disputes, methods, payouts, refunds
from stripe_sandbox.payments.accounts import Failure
from stripe_sandbox.state import State


def knobs(state: State) -> Json:
    """Return how payments end by themselves."""
    return {"settle_after": delayed.settle_after(state.database)}


def turn(state: State, asked: Json) -> Json:
    """Say after how many seconds a debit ends: `{"settle_after": 0.5}`."""
    with state.database.transaction():
        delayed.set_settle_after(state.database, asked.get("settle_after"))
    return knobs(state)


def settle_payment(state: State, asked: Json) -> Json:
    """End a payment that waits for a bank.

    `{"payment_intent": "pi_…", "status": "succeeded"}`, or `failed`, or (Pix) `expired`; with
    `failure_code` to say why.
    """
    with state.database.transaction():
        call = Call(state, base_url="")
        intent = call.fetch("payment_intent", str(asked.get("payment_intent")), "payment_intent")
        code = asked.get("failure_code")
        failure = Failure(code, "The bank did not pay.", code) if code else None
        return delayed.settle(call, intent, str(asked.get("status")), failure)


def settle_refund(state: State, asked: Json) -> Json:
    """Say how a refund on its way ended: `{"refund": "re_…", "status": "succeeded"}`."""
    _require(asked, "status", ("succeeded", "failed"))
    with state.database.transaction():
        call = Call(state, base_url="")
        refund = call.fetch("refund", str(asked.get("refund")), "refund")
        return refunds.settle(call, refund, asked["status"])


def open_dispute(state: State, asked: Json) -> Json:
    """Let a customer's bank dispute a payment.

    `{"payment_intent": "pi_…"}` or `{"charge": "ch_…"}`, with `reason`, `amount`, `inquiry`.
    """
    reason = asked.get("reason", "fraudulent")
    if reason not in disputes.REASONS:
        raise errors.not_a_choice("reason", disputes.REASONS)
    amount = asked.get("amount")
    with state.database.transaction():
        call = Call(state, base_url="")
        return disputes.open_one(
            call,
            _charge(call, asked),
            reason=reason,
            amount=None if amount is None else int(amount),
            inquiry=asked.get("inquiry") is True,
        )


def decide_dispute(state: State, asked: Json) -> Json:
    """Let the bank decide: `{"dispute": "du_…", "status": "won"}`, `lost` or `escalated`."""
    _require(asked, "status", ("won", "lost", "escalated"))
    with state.database.transaction():
        call = Call(state, base_url="")
        dispute = call.fetch(disputes.KIND, str(asked.get("dispute")), "dispute")
        if asked["status"] == "escalated":
            return disputes.escalate(call, dispute)
        return disputes.decide(call, dispute, asked["status"])


def pay_out(state: State, asked: Json) -> Json:
    """Pay out all that is available: `{"currency": "usd"}`, with `include_pending` for all."""
    with state.database.transaction():
        currency = str(asked.get("currency", "usd")).lower()
        with_pending = asked.get("include_pending") is True
        return payouts.pay_out(Call(state, base_url=""), currency, with_pending=with_pending)


def settle_payout(state: State, asked: Json) -> Json:
    """Say how a payout made by hand ended: `{"payout": "po_…", "status": "paid"}`."""
    _require(asked, "status", payouts.OUTCOMES)
    with state.database.transaction():
        call = Call(state, base_url="")
        payout = call.fetch(payouts.KIND, str(asked.get("payout")), "payout")
        return payouts.settle(call, payout, asked["status"])


def update_method(state: State, asked: Json) -> Json:
    """Renew a card as its network would.

    `{"payment_method": "pm_…", "exp_month": 1, "exp_year": 2030}`, with `last4` for a new number.
    """
    with state.database.transaction():
        call = Call(state, base_url="")
        name = "payment_method"
        method = call.fetch(name, str(asked.get(name)), name)
        return methods.renew(call, method, asked)


def _charge(call: Call, asked: Json) -> Json:
    if "charge" in asked:
        return call.fetch("charge", str(asked["charge"]), "charge")
    name = "payment_intent"
    intent = call.fetch(name, str(asked.get(name)), name)
    if not intent["latest_charge"]:
        raise errors.ApiError(f"The PaymentIntent {intent['id']} has no charge.", param=name)
    return call.fetch("charge", intent["latest_charge"], name)


def _require(asked: Json, name: str, choices: tuple[str, ...]) -> None:
    if asked.get(name) not in choices:
        raise errors.not_a_choice(name, choices)
