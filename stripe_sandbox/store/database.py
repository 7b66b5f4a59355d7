"""One SQLite connection that many threads take turns on."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

Row: TypeAlias = sqlite3.Row

# Raised when the tables change: state is cheap to make again, and not worth migrating.
_LAYOUT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    body TEXT NOT NULL,
    notes TEXT
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_by_owner ON objects (owner, kind, seq);
CREATE INDEX IF NOT EXISTS objects_under_way ON objects (kind)
    WHERE json_extract(body, '$.status') IN ('open', 'advancing');
CREATE INDEX IF NOT EXISTS payments_under_way ON objects (seq)
    WHERE kind = 'payment_intent'
    AND json_extract(body, '$.status') IN ('processing', 'requires_action');
CREATE INDEX IF NOT EXISTS entries_pending ON objects (json_extract(body, '$.available_on'))
    WHERE kind = 'balance_transaction' AND json_extract(body, '$.status') = 'pending';
CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    params TEXT NOT NULL,
    headers TEXT NOT NULL,
    status INTEGER,
    error TEXT
);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    at REAL NOT NULL,
    request TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL,
    due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    status INTEGER,
    error TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, due);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS faults (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    action TEXT NOT NULL,
    moment TEXT NOT NULL,
    delay REAL NOT NULL,
    times INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Database:
    """The connection and the lock that makes it safe to share.

    Writers are serial whatever one does with SQLite, and a request takes well under a
    millisecond of it, so one connection behind one lock is both the simplest and the fastest.
    """

    def __init__(self, path: str) -> None:
        """Open, or create, the file (`:memory:` for none)."""
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=10
        )
        self._connection.row_factory = sqlite3.Row
        self._refuse_other_layouts()
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    def _refuse_other_layouts(self) -> None:
        found = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, _LAYOUT):
            self._connection.close()
            raise sqlite3.DatabaseError(
                f"this state file has layout {found} and not {_LAYOUT}: delete it, or name another"
            )
        self._connection.execute(f"PRAGMA user_version={_LAYOUT}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything inside, or nothing. A transaction inside another joins it."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Within a transaction: undo what is done inside if it raises, and raise on."""
        self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO attempt")
            self._connection.execute("RELEASE attempt")
            raise
        self._connection.execute("RELEASE attempt")

    def run(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Execute one statement."""
        with self._lock:
            return self._connection.execute(sql, values)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Return all rows."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row, if any."""
        with self._lock:
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """Return the first column of the first row, or None."""
        found = self.row(sql, values)
        return found[0] if found else None

    def close(self) -> None:
        """Close the file; nothing may be asked of it afterwards."""
        with self._lock:
            self._connection.close()
