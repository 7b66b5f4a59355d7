"""What falls due by itself: payments end, sessions expire, clocks arrive, answers are forgotten."""

from __future__ import annotations

from stripe_sandbox.bodies import loads
from stripe_sandbox.call import Call
from stripe_sandbox.payments import balance, checkout, delayed
from stripe_sandbox.resources import test_clocks
from stripe_sandbox.state import State
from stripe_sandbox.wire import idempotency

_EVERY = 1.0


class Upkeep:
    """Looks about once a second, for what nobody asks about."""

    def __init__(self, state: State) -> None:
        """Look after this state."""
        self._state = state
        self._next = 0.0

    def run(self) -> None:
        """Do what is due, if it is time to look."""
        now = self._state.clock()
        if self._next - _EVERY <= now < self._next:
            return
        self._next = now + _EVERY
        with self._state.database.transaction():
            self._state.database.run("DELETE FROM answers WHERE at < ?", (now - idempotency.KEPT,))
            rows = self._state.database.rows(
                "SELECT kind, body FROM objects"
                " WHERE json_extract(body, '$.status') IN ('open', 'advancing')"
            )
            balance.settle_due(self._state)
            call = Call(self._state, base_url="")
            for intent in delayed.under_way(call):
                delayed.current(call, intent)
            for row in rows:
                if row["kind"] == checkout.KIND:
                    checkout.current(call, loads(row["body"]))
                elif row["kind"] == test_clocks.KIND:
                    test_clocks.arrive(call, loads(row["body"]))
