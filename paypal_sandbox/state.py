"""Everything one stand-in is: its store, its clock, its merchant, and what it has to tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property

from paypal_sandbox import ids
from paypal_sandbox.records import Records
from paypal_sandbox.webhooks.signing import Signer, made
from stripe_sandbox import state
from stripe_sandbox.store import settings

_KEPT = ("merchant", "signing")
_LAG = "lag"
ENDPOINT = "webhook_endpoint"


class State(state.State):
    """Shared by the API, the pages, the control API and the courier."""

    def __init__(self, path: str = ":memory:", *, clock: Callable[[], float] = time.time) -> None:
        """Open the state file, or none."""
        super().__init__(path, clock=clock)
        self.records = Records(self.database)
        # What links start with; the server says where it listens.
        self.base_url = "http://paypal.test"

    @property
    def merchant_id(self) -> str:
        """The id of the account that is paid, made up once."""
        found = settings.read(self.database, "merchant")
        if found is None:
            found = ids.account()
            settings.write(self.database, "merchant", found)
        return str(found)

    @cached_property
    def signer(self) -> Signer:
        """The key that signs notifications, made up once."""
        with self.database.transaction():
            found = settings.read(self.database, "signing")
            if found is None:
                found = made()
                settings.write(self.database, "signing", found)
        return Signer(found)

    @property
    def lag(self) -> float:
        """How many seconds it takes a transaction to appear in searches."""
        return float(settings.read(self.database, _LAG, 0))

    @lag.setter
    def lag(self, seconds: float) -> None:
        settings.write(self.database, _LAG, seconds)

    def reset(self) -> None:
        """Forget everything but the merchant, the key, and the endpoint of the command line."""
        with self.database.transaction():
            self.database.run("DELETE FROM objects WHERE kind != ?", (ENDPOINT,))
            for table in ("requests", "answers", "deliveries", "faults"):
                self.database.run(f"DELETE FROM {table}")  # noqa: S608 - a literal above
            self.database.run("DELETE FROM settings WHERE name NOT IN (?, ?)", _KEPT)
