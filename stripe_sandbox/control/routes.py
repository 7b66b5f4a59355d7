"""The control API: JSON in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeAlias
from urllib.parse import parse_qsl

from stripe_sandbox import errors, faults, journal
from stripe_sandbox.bodies import Json
from stripe_sandbox.control import deliveries, payments
from stripe_sandbox.messages import Answer, Request, json_answer
from stripe_sandbox.state import State
from stripe_sandbox.webhooks import knobs, outbox
from stripe_sandbox.webhooks.courier import Courier

Action: TypeAlias = Callable[[Json], object]


class Control:
    """Answers the control API."""

    def __init__(self, state: State, courier: Courier) -> None:
        """Control this state and this courier."""
        self._state = state
        self._courier = courier
        self._actions: dict[tuple[str, str], Action] = {
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
            ("POST", "webhooks/resend"): lambda asked: deliveries.resend(state, asked),
            ("GET", "payments"): lambda _: payments.knobs(state),
            ("POST", "payments"): lambda asked: payments.turn(state, asked),
            ("POST", "payments/settle"): lambda asked: payments.settle_payment(state, asked),
            ("POST", "refunds/settle"): lambda asked: payments.settle_refund(state, asked),
            ("POST", "disputes/open"): lambda asked: payments.open_dispute(state, asked),
            ("POST", "disputes/decide"): lambda asked: payments.decide_dispute(state, asked),
            ("POST", "payouts/pay"): lambda asked: payments.pay_out(state, asked),
            ("POST", "payouts/settle"): lambda asked: payments.settle_payout(state, asked),
            ("POST", "payment_methods/update"): lambda asked: payments.update_method(state, asked),
            ("POST", "reset"): lambda _: state.reset(),
        }

    def answer(self, request: Request) -> Answer:
        """Answer one request; a page of another site may not make any."""
        if request.is_foreign:
            return json_answer(403, {"error": {"message": "Not from another site."}})
        action = self._actions.get((request.method, request.path.removeprefix("/_control/")))
        if action is None:
            known = sorted(f"{method} /_control/{name}" for method, name in self._actions)
            message = f"There is no {request.method} {request.path}."
            return json_answer(404, {"error": {"message": message, "known": known}})
        try:
            result = action(_arguments(request))
        except errors.ApiError as error:
            return json_answer(error.status, error.body())
        self._state.news.set()
        return json_answer(200, {"ok": True} if result is None else result)

    def _requests(self, asked: Json) -> Json:
        """Return what was asked, oldest first; `path` and `method` narrow it down."""
        found = journal.read(self._state.database)
        return {"data": [entry for entry in found if _matches(entry, asked)]}

    def _webhooks(self, _asked: Json) -> Json:
        return {
            "knobs": asdict(knobs.read(self._state.database)),
            "deliveries": outbox.counts(self._state),
        }

    def _turn(self, changes: Json) -> Json:
        with self._state.database.transaction():
            return {"knobs": asdict(knobs.turn(self._state.database, changes))}


def _arguments(request: Request) -> Json:
    """Read a JSON body, or a query string."""
    text = request.form.strip()
    if not text.startswith("{"):
        return dict(parse_qsl(text))
    try:
        found: Json = json.loads(text)
    except ValueError as reason:
        raise errors.ApiError(f"Not JSON: {reason}") from reason
    return found


def _matches(entry: Json, asked: Json) -> bool:
    return all(
        str(entry.get(name)).startswith(str(asked[name])) if name == "path"
        else str(entry.get(name)) == str(asked[name])
        for name in ("path", "method", "status")
        if name in asked
    )  # fmt: skip
