"""Stripe's objects, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stripe_sandbox.bodies import Json, dumps, loads
from stripe_sandbox.store.database import Database

_AFTER = "seq < (SELECT seq FROM objects WHERE id = ?)"
_BEFORE = "seq > (SELECT seq FROM objects WHERE id = ?)"


@dataclass(frozen=True)
class Page:
    """Which objects to list: newest first, from a cursor, with conditions."""

    kind: str
    limit: int = 10
    after: str | None = None
    before: str | None = None
    owner: str | None = None
    where: Sequence[tuple[str, object]] = ()


class Objects:
    """Reads and writes whole objects by id.

    Beside its body, which is exactly what clients see, an object may carry notes: facts the
    stand-in must know and Stripe would not tell (how a test card behaves).
    """

    def __init__(self, database: Database) -> None:
        """Use this database."""
        self._database = database

    def find(self, object_id: str, kind: str | None = None) -> Json | None:
        """Return an object, or the marker of a deleted one, or None."""
        row = self._database.row("SELECT kind, body FROM objects WHERE id = ?", (object_id,))
        if row is None or (kind and row["kind"] != kind):
            return None
        body: Json = loads(row["body"])
        return body

    def add(self, body: Json, notes: Json | None = None) -> None:
        """Store a new object."""
        self._database.run(
            "INSERT INTO objects (id, kind, owner, body, notes) VALUES (?, ?, ?, ?, ?)",
            (body["id"], body["object"], _owner(body), dumps(body), notes and dumps(notes)),
        )

    def save(self, body: Json) -> None:
        """Store an object that changed."""
        self._database.run(
            "UPDATE objects SET body = ?, owner = ? WHERE id = ?",
            (dumps(body), _owner(body), body["id"]),
        )

    def bury(self, marker: Json) -> None:
        """Replace an object by the marker that it was deleted; lists no longer show it."""
        self._database.run(
            "UPDATE objects SET body = ?, gone = 1 WHERE id = ?", (dumps(marker), marker["id"])
        )

    def notes(self, object_id: str) -> Json:
        """Return what is known of an object beyond its body."""
        found = self._database.value("SELECT notes FROM objects WHERE id = ?", (object_id,))
        notes: Json = loads(found) if found else {}
        return notes

    def note(self, object_id: str, **facts: object) -> None:
        """Add to the notes of an object."""
        merged = self.notes(object_id) | facts
        self._database.run("UPDATE objects SET notes = ? WHERE id = ?", (dumps(merged), object_id))

    def page(self, page: Page) -> tuple[list[Json], bool]:
        """Return the objects of a page, and whether more follow in its direction."""
        conditions, values = ["kind = ?", "gone = 0"], [page.kind]
        more: list[object] = list(values)
        if page.owner is not None:
            conditions.append("owner = ?")
            more.append(page.owner)
        for condition, value in page.where:
            conditions.append(condition)
            more.extend(value if isinstance(value, list) else [value])
        cursor = page.before or page.after
        if cursor:
            conditions.append(_BEFORE if page.before else _AFTER)
            more.append(cursor)
        order = "ASC" if page.before else "DESC"
        rows = self._database.rows(
            f"SELECT body FROM objects WHERE {' AND '.join(conditions)}"  # noqa: S608 - no input in it
            f" ORDER BY seq {order} LIMIT ?",
            [*more, page.limit + 1],
        )
        found = [loads(row["body"]) for row in rows[: page.limit]]
        return found[::-1] if page.before else found, len(rows) > page.limit


def _owner(body: Json) -> str | None:
    """Return the customer an object belongs to, for quick lists."""
    customer = body.get("customer")
    return customer if isinstance(customer, str) else None
