"""Small values that outlive a restart: the account, and how the knobs stand."""

from __future__ import annotations

from typing import Any

from stripe_sandbox.bodies import dumps, loads
from stripe_sandbox.store.database import Database


def read(database: Database, name: str, default: object = None) -> Any:
    """Return a setting."""
    found = database.value("SELECT value FROM settings WHERE name = ?", (name,))
    return default if found is None else loads(found)


def write(database: Database, name: str, value: object) -> None:
    """Keep a setting."""
    database.run(
        "INSERT INTO settings (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, dumps(value)),
    )
