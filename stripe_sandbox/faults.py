"""Calls that are to fail: asked for in advance, used up as they happen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from stripe_sandbox.bodies import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.store.database import Database

CUT = "cut"
_ACTIONS = ("500", "502", "503", "429", CUT, "slow")
_MOMENTS = ("before", "after")
_SECONDS = re.compile(r"\d{1,4}(\.\d+)?")
_TIMES = re.compile(r"-1|[1-9]\d*")
_PARTS = ("method", "path", "action", "moment", "delay", "times")


class BrokenError(ApiError):
    """Stripe's own trouble."""

    kind = "api_error"
    status = 500


class TooManyError(ApiError):
    """Asked too often; nothing has begun."""

    status = 429
    remembered = False


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call.

    `moment` is `before` the work or `after` it, when all is done and only the answer is lost.
    """

    action: str
    moment: str
    delay: float

    def error(self) -> ApiError | None:
        """Return the error to answer with, unless the fault is none."""
        if self.action == "429":
            return TooManyError(
                "Request rate limit exceeded. You can learn more about rate limits here "
                "https://docs.stripe.com/rate-limits.",
                code="rate_limit",
            )
        if self.action.isdigit():
            return BrokenError(
                "An unknown error occurred. (The stand-in was told to fail this call.)",
                status=int(self.action),
            )
        return None


def plan(database: Database, wish: Json) -> Json:
    """Let matching calls fail.

    :raises ApiError: if the wish cannot be understood.
    """
    wanted: Json = {
        "method": "*",
        "path": "*",
        "action": "500",
        "moment": "before",
        "delay": 0,
        "times": 1,
    } | wish
    if not _is_sound(wanted):
        raise ApiError(
            f"A fault has method, path, action ({', '.join(_ACTIONS)}), moment "
            f"({', '.join(_MOMENTS)}), delay in seconds, and times (-1 for always)."
        )
    wanted |= {"action": str(wanted["action"]), "delay": float(wanted["delay"])}
    row = database.run(
        "INSERT INTO faults (method, path, action, moment, delay, times) VALUES (?, ?, ?, ?, ?, ?)",
        [wanted[name] for name in _PARTS],
    )
    return {"id": row.lastrowid} | wanted


def _is_sound(wanted: Json) -> bool:
    return (
        wanted.keys() == set(_PARTS)
        and str(wanted["action"]) in _ACTIONS
        and wanted["moment"] in _MOMENTS
        and bool(_SECONDS.fullmatch(str(wanted["delay"])))
        and bool(_TIMES.fullmatch(str(wanted["times"])))
    )


def standing(database: Database) -> list[Json]:
    """Return the faults that have not been used up."""
    return [dict(row) for row in database.rows("SELECT * FROM faults ORDER BY seq")]


def clear(database: Database) -> None:
    """Let nothing fail any more."""
    database.run("DELETE FROM faults")


def take(database: Database, method: str, path: str) -> Fault | None:
    """Return the fault this call is to suffer, and count it."""
    with database.transaction():
        for row in database.rows("SELECT * FROM faults ORDER BY seq"):
            if row["method"] in ("*", method) and fnmatchcase(path, row["path"]):
                database.run("UPDATE faults SET times = times - 1 WHERE seq = ?", (row["seq"],))
                database.run("DELETE FROM faults WHERE times = 0")
                return Fault(row["action"], row["moment"], row["delay"])
    return None
