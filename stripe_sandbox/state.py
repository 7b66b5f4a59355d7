"""Everything one stand-in is: its store, its clock, and what it has to tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from stripe_sandbox import ids
from stripe_sandbox.store import settings
from stripe_sandbox.store.database import Database
from stripe_sandbox.store.objects import Objects


class State:
    """Shared by the API, the pages, the control API and the courier."""

    def __init__(self, path: str = ":memory:", *, clock: Callable[[], float] = time.time) -> None:
        """Open the state file, or none."""
        self.database = Database(path)
        self.objects = Objects(self.database)
        self.clock = clock
        self.stopping = threading.Event()
        # Set whenever there may be something to deliver.
        self.news = threading.Event()

    @property
    def account_id(self) -> str:
        """The account's id, made up once."""
        found = settings.read(self.database, "account")
        if found is None:
            found = f"acct_{ids.new('')[1:17]}"
            settings.write(self.database, "account", found)
        return str(found)

    def reset(self) -> None:
        """Forget everything but the account and the endpoints given on the command line."""
        with self.database.transaction():
            self.database.run(
                "DELETE FROM objects WHERE kind != 'webhook_endpoint'"
                " OR json_extract(notes, '$.fixed') IS NULL"
            )
            for table in ("requests", "answers", "deliveries", "faults"):
                self.database.run(f"DELETE FROM {table}")  # noqa: S608 - a literal above
            self.database.run("DELETE FROM settings WHERE name != 'account'")
