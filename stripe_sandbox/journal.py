"""Every request ever asked, so that a test can prove what was never sent."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_sandbox.bodies import Json, dumps, loads
from stripe_sandbox.messages import Request
from stripe_sandbox.store.database import Database

CUT = "the connection was cut"

_SECRET_HEADERS = frozenset({"authorization", "cookie"})
# A card's number, its code and an account's number are worth stealing even from a toy.
_SECRET_PARAMS = frozenset({"number", "cvc", "iban"})


@dataclass(frozen=True)
class Asked:
    """One request and how it was answered; no status means that the answer was cut off.

    `error` says what was unusual about it, which may also be that it was replayed.
    """

    id: str
    at: float
    request: Request
    params: object
    status: int | None
    error: str | None = None


def write(database: Database, asked: Asked) -> None:
    """Record a request, without its key."""
    headers = {
        name: value for name, value in asked.request.headers.items() if name not in _SECRET_HEADERS
    }
    database.run(
        "INSERT INTO requests (id, at, method, path, params, headers, status, error)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            asked.id,
            asked.at,
            asked.request.method,
            asked.request.path,
            dumps(_masked(asked.params)),
            dumps(headers),
            asked.status,
            asked.error,
        ),
    )


def cut(database: Database, request_id: str) -> bool:
    """Record that the answer to a request on record never arrived; say if it is on record."""
    return (
        database.run(
            "UPDATE requests SET status = NULL, error = ? WHERE id = ?", (CUT, request_id)
        ).rowcount
        > 0
    )


def read(database: Database, *, limit: int = -1, newest_first: bool = False) -> list[Json]:
    """Return what was asked, oldest first unless told otherwise."""
    order = "DESC" if newest_first else "ASC"
    rows = database.rows(f"SELECT * FROM requests ORDER BY seq {order} LIMIT ?", (limit,))  # noqa: S608 - one of two words
    return [
        dict(row) | {"params": loads(row["params"]), "headers": loads(row["headers"])}
        for row in rows
    ]


def clear(database: Database) -> None:
    """Forget what was asked."""
    database.run("DELETE FROM requests")


def _masked(value: object) -> object:
    if isinstance(value, dict):
        return {key: "…" if key in _SECRET_PARAMS else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value
