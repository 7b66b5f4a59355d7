"""Lists: cursors, limits, and filters that follow from the parameters a list accepts."""

from __future__ import annotations

from collections.abc import Sequence

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.store.objects import Objects, Page

_CURSORS = frozenset({"limit", "starting_after", "ending_before", "expand"})
_RANGE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_LIMIT = 100


def listed(
    objects: Objects,
    kind: str,
    params: Json,
    *,
    url: str,
    where: Sequence[tuple[str, object]] = (),
    ignore: frozenset[str] = frozenset(),
) -> Json:
    """Return a list object for a request's (validated) parameters.

    Every parameter that is neither a cursor nor in `ignore` filters on the attribute of its
    name; `where` adds conditions in SQL.
    """
    for cursor in ("starting_after", "ending_before"):
        if cursor in params and objects.find(params[cursor]) is None:
            raise errors.no_such(kind, params[cursor], cursor)
    conditions = [*where]
    for name, value in params.items():
        if name not in _CURSORS | ignore and name != "customer":
            conditions.extend(_conditions(name, value))
    found, more = objects.page(
        Page(
            kind,
            limit=limit_of(params),
            after=params.get("starting_after"),
            before=params.get("ending_before"),
            owner=None if "customer" in ignore else params.get("customer"),
            where=conditions,
        )
    )
    return {"object": "list", "data": found, "has_more": more, "url": url}


def limit_of(params: Json) -> int:
    """Return how many are wanted.

    :raises MalformedError: if fewer than one or more than a hundred are.
    """
    limit = params.get("limit", 10)
    if not isinstance(limit, int) or not 1 <= limit <= _LIMIT:
        bound = "greater than or equal to 1" if limit < 1 else f"less than or equal to {_LIMIT}"
        raise errors.MalformedError(
            f"This value must be {bound}.", code="parameter_invalid_integer", param="limit"
        )
    return limit


def _conditions(name: str, value: object) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        if set(value) <= set(_RANGE):
            return [
                (f"json_extract(body, '$.{name}') {_RANGE[key]} ?", bound)
                for key, bound in value.items()
            ]
        return [
            condition
            for key, inner in value.items()
            for condition in _conditions(f"{name}.{key}", inner)
        ]
    if isinstance(value, list):
        marks = ", ".join("?" * len(value))
        return [(f"json_extract(body, '$.{name.removesuffix('s')}') IN ({marks})", value)]
    return [(f"json_extract(body, '$.{name}') = ?", value)]
