"""The stand-in's own API, under `/_control/`: what tests read and the knobs they turn.

Its manners, and all that is not PayPal's, are those of `stripe_sandbox`.
"""

from __future__ import annotations

from paypal_sandbox import oauth
from paypal_sandbox.errors import PayPalError
from paypal_sandbox.money import Amount, read, stored
from paypal_sandbox.payments import captures, disputes, refunds
from paypal_sandbox.state import State
from paypal_sandbox.webhooks import events
from stripe_sandbox import errors, faults, journal
from stripe_sandbox.bodies import Json
from stripe_sandbox.control import deliveries, routes
from stripe_sandbox.messages import Answer, json_answer
from stripe_sandbox.messages import Request as AnyRequest
from stripe_sandbox.webhooks.courier import Courier

_CAPTURES = ("completed", *captures.DECLINES)
_REFUNDS = ("completed", "failed", "cancelled")


class Control(routes.Control):
    """Answers the control API."""

    def __init__(self, state: State, courier: Courier) -> None:
        """Control this state and this courier."""
        super().__init__(state, courier)
        self._here = state
        self._actions = {
            ("GET", "health"): lambda _: {"status": "ok"},
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): lambda _: journal.clear(state.database),
            ("GET", "faults"): lambda _: {"data": faults.standing(state.database)},
            ("POST", "faults"): lambda wish: faults.plan(state.database, wish),
            ("DELETE", "faults"): lambda _: faults.clear(state.database),
            ("GET", "webhooks"): self._webhooks,
            ("POST", "webhooks"): self._turn,
            ("GET", "webhooks/deliveries"): lambda asked: deliveries.listed(state, asked),
            ("POST", "webhooks/pause"): lambda _: self._turn({"paused": True}),
            ("POST", "webhooks/resume"): lambda _: self._turn({"paused": False}),
            ("POST", "webhooks/drain"): lambda _: courier.drain(),
            ("POST", "webhooks/resend"): self._whole(self._resend),
            ("POST", "captures/settle"): self._whole(self._settle_capture),
            ("POST", "refunds/settle"): self._whole(self._settle_a_refund),
            ("POST", "disputes/open"): self._whole(self._open_dispute),
            ("POST", "disputes/decide"): self._whole(self._decide_dispute),
            ("POST", "reporting"): self._lag,
            ("POST", "tokens/expire"): lambda _: oauth.expire_all(state),
            ("POST", "reset"): lambda _: state.reset(),
        }

    def answer(self, request: AnyRequest) -> Answer:
        """Answer one request; what PayPal would refuse is refused in PayPal's words."""
        try:
            return super().answer(request)
        except PayPalError as error:
            return json_answer(error.status, error.body("control"))

    def _whole(self, action: routes.Action) -> routes.Action:
        """Let an action be done altogether or not at all."""

        def run(asked: Json) -> object:
            with self._here.database.transaction():
                return action(asked)

        return run

    def _resend(self, asked: Json) -> Json:
        event = self._found(events.KIND, asked, "event")
        events.resend(self._here, event["id"])
        return {"event": event["id"]}

    def _settle_capture(self, asked: Json) -> Json:
        status = _choice(asked, "status", _CAPTURES)
        return captures.settle(self._here, self._found(captures.KIND, asked, "capture"), status)

    def _settle_a_refund(self, asked: Json) -> Json:
        status = _choice(asked, "status", _REFUNDS)
        return refunds.settle(self._here, self._found(refunds.KIND, asked, "refund"), status)

    def _open_dispute(self, asked: Json) -> Json:
        capture = self._found(captures.KIND, asked, "capture")
        reason = _choice({"reason": disputes.REASONS[0]} | asked, "reason", disputes.REASONS)
        amount = _amount(asked, stored(capture["amount"]))
        return disputes.open_case(self._here, capture, reason, amount)

    def _decide_dispute(self, asked: Json) -> Json:
        outcome = _choice(asked, "outcome", ("seller", "buyer"))
        dispute = self._found(disputes.KIND, asked, "dispute")
        return disputes.decide(self._here, dispute, for_buyer=outcome == "buyer")

    def _lag(self, asked: Json) -> Json:
        seconds = asked.get("lag")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise errors.ApiError("The lag is a number of seconds.")
        self._here.lag = seconds
        return {"lag": seconds}

    def _found(self, kind: str, asked: Json, name: str) -> Json:
        found = self._here.records.get(kind, str(asked.get(name)))
        if found is None:
            raise errors.no_such(kind, str(asked.get(name)), name, status=404)
        return found


def _choice(asked: Json, name: str, choices: tuple[str, ...]) -> str:
    value = asked.get(name)
    if value not in choices:
        raise errors.not_a_choice(name, choices)
    return str(value)


def _amount(asked: Json, whole: Amount) -> Amount:
    """Return the amount that is asked for, written `"5.00"` or as PayPal writes it."""
    given = asked.get("amount")
    if given is None:
        return whole
    body = given if isinstance(given, dict) else {"value": given, "currency_code": whole.currency}
    return read(body, "/amount")
