"""`Idempotency-Key`: the same request twice is one request."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stripe_sandbox.errors import IdempotencyError
from stripe_sandbox.store.database import Database
from stripe_sandbox.wire import forms

KEPT = 24 * 3600
_LONGEST = 255


@dataclass(frozen=True)
class Kept:
    """The answer given the first time."""

    request: str
    status: int
    body: bytes


class Keys:
    """The keys in use, and the answers kept for those already used."""

    def __init__(self, database: Database) -> None:
        """Keep answers in this database."""
        self._database = database
        self._lock = threading.Lock()
        self._running: set[str] = set()

    @contextmanager
    def held(self, key: str | None) -> Iterator[None]:
        """Hold a key while its request runs.

        :raises IdempotencyError: if another request holds it now.
        """
        if key is None:
            yield
            return
        if len(key) > _LONGEST:
            raise IdempotencyError(
                f"Idempotency keys can be at most {_LONGEST} characters long, and yours is "
                f"{len(key)} characters."
            )
        self._take(key)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(key)

    def _take(self, key: str) -> None:
        with self._lock:
            if key in self._running:
                raise IdempotencyError(
                    "There is currently another in-progress request using this Idempotent Key "
                    "(that probably means you submitted twice, and the other request is still "
                    f"going through): {key}. Please try again later.",
                    code="idempotency_key_in_use",
                    status=409,
                )
            self._running.add(key)

    def recall(self, key: str, path: str, form: str, *, now: float) -> Kept | None:
        """Return the answer kept for a key.

        :raises IdempotencyError: if the key was used for something else.
        """
        row = self._database.row(
            "SELECT * FROM answers WHERE key = ? AND at > ?", (key, now - KEPT)
        )
        if row is None:
            return None
        if row["path"] != path:
            raise IdempotencyError(
                "Keys for idempotent requests can only be used for the same endpoint they were "
                f"first used for ('{path}' vs '{row['path']}'). Try using a key other than "
                f"'{key}' if you meant to execute a different request."
            )
        if row["fingerprint"] != _fingerprint(form):
            raise IdempotencyError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request."
            )
        return Kept(row["request"], row["status"], row["body"])

    def keep(self, key: str, path: str, form: str, kept: Kept, *, now: float) -> None:
        """Keep an answer, and forget those whose day is over."""
        self._database.run("DELETE FROM answers WHERE key = ?", (key,))
        self._database.run(
            "INSERT INTO answers (key, path, fingerprint, at, request, status, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, path, _fingerprint(form), now, kept.request, kept.status, kept.body),
        )


def _fingerprint(form: str) -> str:
    """Return the same for two forms that say the same."""
    return hashlib.sha256(repr(sorted(forms.pairs(form))).encode()).hexdigest()
