"""Deliveries that wait, as rows, so that a restart forgets none."""

from __future__ import annotations

from stripe_sandbox.state import State
from stripe_sandbox.store.database import Row
from stripe_sandbox.webhooks import knobs

WAITING = "waiting"
SENDING = "sending"
DELIVERED = "delivered"
FAILED = "failed"
DROPPED = "dropped"


def enqueue(state: State, event_id: str, endpoint_id: str, plan: knobs.Knobs) -> None:
    """Queue one notification, as the knobs have it."""
    dropped = _is_dropped(state)
    for _ in range(max(1, plan.copies)):
        state.database.run(
            "INSERT INTO deliveries (event, endpoint, state, due) VALUES (?, ?, ?, ?)",
            (
                event_id,
                endpoint_id,
                DROPPED if dropped else WAITING,
                state.clock() + plan.delay,
            ),
        )


def due(state: State, *, limit: int = -1, however_far: bool = False) -> list[int]:
    """Return what is to be sent now, in the order the knobs have it; nothing while paused."""
    plan = knobs.read(state.database)
    if plan.paused:
        return []
    order = "DESC" if plan.newest_first else "ASC"
    rows = state.database.rows(
        f"SELECT seq FROM deliveries WHERE state = ? AND due <= ? ORDER BY seq {order} LIMIT ?",  # noqa: S608 - one of two words
        (WAITING, float("inf") if however_far else state.clock(), limit),
    )
    return [row["seq"] for row in rows]


def claim(state: State, seq: int) -> Row | None:
    """Take a delivery to make now, unless somebody else has."""
    return state.database.row(
        "UPDATE deliveries SET state = ? WHERE seq = ? AND state = ? RETURNING *",
        (SENDING, seq, WAITING),
    )


def release_all(state: State) -> None:
    """Put back what a process that died had taken."""
    state.database.run("UPDATE deliveries SET state = ? WHERE state = ?", (WAITING, SENDING))


def settle(state: State, delivery: Row, *, status: int | None, error: str | None) -> None:
    """Record how a try went, and plan the next one if it went wrong."""
    tries = delivery["attempts"] + 1
    waits = knobs.read(state.database).retry_after
    due = delivery["due"]
    if status is not None and 200 <= status < 300:
        outcome = DELIVERED
    elif tries <= len(waits):
        outcome, due = WAITING, state.clock() + waits[tries - 1]
    else:
        outcome = FAILED
    with state.database.transaction():
        state.database.run(
            "UPDATE deliveries SET state = ?, due = ?, attempts = ?, status = ?, error = ?"
            " WHERE seq = ?",
            (outcome, due, tries, status, error, delivery["seq"]),
        )
        _count_pending(state, delivery["event"])


def counts(state: State) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    rows = state.database.rows("SELECT state, count(*) AS n FROM deliveries GROUP BY state")
    found = {row["state"]: row["n"] for row in rows}
    return {name: found.get(name, 0) for name in (WAITING, SENDING, DELIVERED, FAILED, DROPPED)}


def _count_pending(state: State, event_id: str) -> None:
    event = state.objects.find(event_id)
    if event is not None:
        event["pending_webhooks"] = state.database.value(
            "SELECT count(DISTINCT endpoint) FROM deliveries WHERE event = ? AND state IN (?, ?)",
            (event_id, WAITING, SENDING),
        )
        state.objects.save(event)


def _is_dropped(state: State) -> bool:
    """Say whether the next notification is to be lost, and count it."""
    plan = knobs.read(state.database)
    if plan.drop > 0:
        knobs.turn(state.database, {"drop": plan.drop - 1})
    return plan.drop != 0
