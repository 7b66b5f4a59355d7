"""`PayPal-Request-Id`: the same request twice is one request.

PayPal answers a repetition with the latest status of what the first made, not with the words of
the first answer; so what is kept is the name of the resource. A refusal is kept as it was.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from paypal_sandbox import errors
from paypal_sandbox.messages import Request
from paypal_sandbox.routes import Route
from stripe_sandbox.bodies import Json, dumps, loads
from stripe_sandbox.store.database import Database

_LONGEST = 108


@dataclass(frozen=True)
class Kept:
    """What came of a request: a resource, or a refusal."""

    status: int
    made: tuple[str, str] | None = None
    refusal: Json | None = None


class RequestIds:
    """The ids in use, and what came of those already used."""

    def __init__(self, database: Database) -> None:
        """Keep in this database."""
        self._database = database
        self._lock = threading.Lock()
        self._running: set[str] = set()

    @contextmanager
    def held(self, key: str | None) -> Iterator[None]:
        """Hold an id while its request runs.

        :raises PayPalError: 409, if another request holds it now.
        """
        if key is None:
            yield
            return
        with self._lock:
            if key in self._running:
                raise errors.in_progress()
            self._running.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(key)

    def recall(self, key: str, route: Route, request: Request, *, now: float) -> Kept | None:
        """Return what came of the request that had this id first.

        :raises PayPalError: if it was another request, where PayPal minds.
        """
        row = self._database.row("SELECT * FROM answers WHERE key = ? AND at > ?", (key, now))
        if row is None:
            return None
        if route.strict and row["fingerprint"] != _fingerprint(request):
            raise errors.refused(
                "PAYPAL_REQUEST_ID_PREVIOUSLY_USED",
                "The PayPal-Request-ID has already been used for another request.",
            )
        kept = loads(row["body"])
        made = tuple(kept["made"]) if kept["made"] else None
        return Kept(row["status"], made, kept["refusal"])

    def keep(self, key: str, request: Request, kept: Kept, *, until: float) -> None:
        """Keep what came of a request; `at` in the table is when that ends."""
        self._database.run("DELETE FROM answers WHERE key = ?", (key,))
        self._database.run(
            "INSERT INTO answers (key, path, fingerprint, at, request, status, body)"
            " VALUES (?, ?, ?, ?, '', ?, ?)",
            (
                key,
                request.path,
                _fingerprint(request),
                until,
                kept.status,
                dumps({"made": kept.made, "refusal": kept.refusal}),
            ),
        )


def key_of(route: Route, request: Request) -> str | None:
    """Return what names a request: its id, within its operation on its resource.

    :raises PayPalError: if the id is too long.
    """
    given = request.headers.get("paypal-request-id")
    if not given or not route.kept:
        return None
    if len(given) > _LONGEST:
        raise errors.invalid(
            "INVALID_STRING_LENGTH",
            "The value of a field is either too short or too long",
            "PayPal-Request-Id",
            location="header",
        )
    return f"{request.method} {request.path} {given}"


def forget_old(database: Database, now: float) -> None:
    """Forget what need not be kept any more."""
    database.run("DELETE FROM answers WHERE at <= ?", (now,))


def _fingerprint(request: Request) -> str:
    try:
        said = dumps(loads(request.body))
    except ValueError:
        said = request.form
    return hashlib.sha256(said.encode()).hexdigest()
