"""The checks of the books as one statement, planned once a connection: it follows every test."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakSet

from django.db import connection

from billing.queries import verification, verification_journal

_NAME: Final = "do_the_books_agree"
_PREPARED: Final[WeakSet[Any]] = WeakSet()


def discrepancies() -> list[tuple[str, ...]]:
    """What `verification.discrepancies` would find."""
    connection.ensure_connection()
    with connection.cursor() as cursor:
        if connection.connection not in _PREPARED:
            cursor.execute(f"PREPARE {_NAME} AS {_every_check()}")
            _PREPARED.add(connection.connection)
        cursor.execute(f"EXECUTE {_NAME}")
        found = cursor.fetchall()
    return [*found, *verification_journal.differences()]


def _every_check() -> str:
    return " UNION ALL ".join(
        f"SELECT $check${name}$check$, subject::text, detail::text"
        f"  FROM ({sql}) AS found(subject, detail)"
        for name, sql in verification.CHECKS.items()
    )
