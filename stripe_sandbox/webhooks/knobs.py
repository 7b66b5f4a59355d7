"""How deliveries are made to go wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields

from stripe_sandbox.bodies import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.store import settings
from stripe_sandbox.store.database import Database

_NAME = "webhooks"


@dataclass(frozen=True)
class Knobs:
    """How every notification is treated from now on.

    `paused` keeps all back; `copies` sends each so many times; `delay` waits so many seconds;
    `newest_first` reverses the order of what waits; `drop` loses the next so many (-1: all);
    `retry_after` are the seconds before each further try, and its length how many there are.
    """

    paused: bool = False
    copies: int = 1
    delay: float = 0.0
    newest_first: bool = False
    drop: int = 0
    retry_after: tuple[float, ...] = field(default=(1.0, 5.0, 30.0, 120.0, 600.0, 3600.0))


def read(database: Database) -> Knobs:
    """Return how the knobs stand."""
    stored = settings.read(database, _NAME, {})
    if "retry_after" in stored:
        stored["retry_after"] = tuple(stored["retry_after"])
    return Knobs(**stored)


def turn(database: Database, changes: Json) -> Knobs:
    """Turn some knobs and leave the others.

    :raises ApiError: if there is no such knob, or it cannot be turned so.
    """
    known = {knob.name: getattr(Knobs(), knob.name) for knob in fields(Knobs)}
    for name, value in changes.items():
        if name not in known:
            raise ApiError(f"There is no knob '{name}'; there are {', '.join(sorted(known))}.")
        if not _fits(value, known[name]):
            raise ApiError(f"The knob '{name}' cannot be set to {value!r}.")
    result = Knobs(**asdict(read(database)) | changes)
    settings.write(database, _NAME, asdict(result))
    return result


def _fits(value: object, standing: object) -> bool:
    if isinstance(standing, bool):
        return isinstance(value, bool)
    if isinstance(standing, tuple):
        return isinstance(value, list) and all(_is_number(item) for item in value)
    if isinstance(standing, int):
        return isinstance(value, int) and not isinstance(value, bool)
    return _is_number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
