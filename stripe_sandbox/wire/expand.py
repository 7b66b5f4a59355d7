"""`expand[]`: ids in an answer replaced by the objects they name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stripe_sandbox.bodies import Json
from stripe_sandbox.errors import ApiError

_DEPTH = 4

# Returns the object of an id, or fills in an attribute that is there only when asked for.
Find = Callable[[str], Json | None]
Include = Callable[[Json, str], Json | None]


def expanded(answer: Json, paths: Sequence[str], *, find: Find, include: Include) -> Json:
    """Return the answer with each path (`customer`, `data.latest_charge.refunds`) followed.

    :raises ApiError: if a path leads to nothing that can be expanded.
    """
    for path in paths:
        steps = path.split(".")
        if len(steps) - (steps[0] == "data") > _DEPTH:
            raise ApiError(
                f"You cannot expand more than {_DEPTH} levels of a property. You gave: {path}",
                param="expand",
            )
        _Walk(path, find, include).follow(answer, steps)
    return answer


class _Walk:
    """One path, followed into one answer."""

    def __init__(self, path: str, find: Find, include: Include) -> None:
        self._path = path
        self._find = find
        self._include = include

    def follow(self, here: object, steps: Sequence[str]) -> None:
        """Replace what the first step names, then go on from there."""
        if not steps or here is None:
            return
        if isinstance(here, list):
            for item in here:
                self.follow(item, steps)
        elif isinstance(here, dict) and not here.get("deleted"):
            here[steps[0]] = self._opened(here, steps[0])
            self.follow(here[steps[0]], steps[1:])

    def _opened(self, here: Json, step: str) -> object:
        if step not in here:
            raise self._refusal()
        value = here[step]
        if value is None:
            return self._include(here, step)
        if isinstance(value, str):
            return self._object(value)
        return value

    def _object(self, object_id: str) -> Json:
        found = self._find(object_id)
        if found is None:
            raise self._refusal()
        return found

    def _refusal(self) -> ApiError:
        return ApiError(
            f"This property cannot be expanded ({self._path}). You may want to try expanding "
            "one of its parents, or check that the property exists on this object.",
            param="expand",
        )
