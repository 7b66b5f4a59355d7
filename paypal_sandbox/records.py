"""PayPal's resources, as rows.

A resource goes in an envelope, since PayPal's bodies say neither what they are nor, always, who
they are (a case has a `dispute_id`); the envelope is what the store of `stripe_sandbox` takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stripe_sandbox.bodies import Json, loads
from stripe_sandbox.store.database import Database
from stripe_sandbox.store.objects import Objects

# Finding the payments of an invoice must not grow slower with the number of payments.
_INDEX = (
    "CREATE INDEX IF NOT EXISTS payments_by_invoice ON objects"
    " (kind, json_extract(body, '$.body.invoice_id'))"
)


@dataclass(frozen=True)
class Find:
    """Which resources to list: newest first, whose attributes compare so with values."""

    kind: str
    owner: str | None = None
    where: Sequence[tuple[str, str, object]] = ()
    limit: int = -1
    skip: int = 0

    def conditions(self) -> tuple[str, list[object]]:
        """Return the SQL after WHERE, and its values."""
        parts, values = ["kind = ?", "gone = 0"], [self.kind]
        rest: list[object] = list(values)
        if self.owner is not None:
            parts.append("owner = ?")
            rest.append(self.owner)
        for name, sign, value in self.where:
            parts.append(f"json_extract(body, '$.body.{name}') {sign} ?")
            rest.append(value)
        return " AND ".join(parts), rest


class Records:
    """Reads and writes resources by kind and id; notes are what clients never see."""

    def __init__(self, database: Database) -> None:
        """Use this database."""
        self._database = database
        self._objects = Objects(database)
        database.run(_INDEX)

    def get(self, kind: str, record_id: str) -> Json | None:
        """Return a resource, or None if there is none or it was deleted."""
        found = self._objects.find(record_id, kind)
        return found.get("body") if found else None

    def is_gone(self, kind: str, record_id: str) -> bool:
        """Say whether a resource was there once and was deleted."""
        found = self._objects.find(record_id, kind)
        return found is not None and "body" not in found

    def add(
        self,
        kind: str,
        record_id: str,
        body: Json,
        *,
        owner: str | None = None,
        notes: Json | None = None,
    ) -> Json:
        """Store a new resource and return it."""
        envelope: Json = {"id": record_id, "object": kind, "customer": owner, "body": body}
        if "event_type" in body:
            envelope["type"] = body["event_type"]  # by which deliveries are listed
        self._objects.add(envelope, notes)
        return body

    def save(self, record_id: str, body: Json) -> Json:
        """Store a resource that changed and return it."""
        envelope = self._objects.find(record_id) or {}
        self._objects.save(envelope | {"body": body})
        return body

    def bury(self, kind: str, record_id: str) -> None:
        """Delete a resource, and remember that it was there."""
        self._objects.bury({"id": record_id, "object": kind})

    def notes(self, record_id: str) -> Json:
        """Return what is known of a resource beyond its body."""
        return self._objects.notes(record_id)

    def note(self, record_id: str, **facts: object) -> None:
        """Add to the notes of a resource."""
        self._objects.note(record_id, **facts)

    def find(self, wanted: Find) -> list[Json]:
        """Return resources, newest first."""
        conditions, values = wanted.conditions()
        rows = self._database.rows(
            f"SELECT body FROM objects WHERE {conditions} ORDER BY seq DESC LIMIT ? OFFSET ?",  # noqa: S608 - no input in it
            [*values, wanted.limit, wanted.skip],
        )
        return [loads(row["body"])["body"] for row in rows]

    def count(self, wanted: Find) -> int:
        """Return how many there are."""
        conditions, values = wanted.conditions()
        sql = f"SELECT count(*) FROM objects WHERE {conditions}"  # noqa: S608 - no input in it
        return int(self._database.value(sql, values))
