"""Big lists, by cursor: `{"next", "previous", "<plural noun>": […]}`, newest first.

A cursor names a row by its id, which grows with time, so a page costs the same wherever it is
and no row is seen twice or missed while others are added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.fields import Strict
from billing.api.pages import DEFAULT_LIMIT, MAX_LIMIT
from billing.queries.transactions import Part

_LARGEST: Final = 2**63 - 1


class CursorQuery(Strict):
    """Where to go on: `next` and `previous` of an answer have these filled in."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, required=False
    )
    after = serializers.UUIDField(required=False)
    before = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One direction at a time."""
        if "after" in attrs and "before" in attrs:
            raise serializers.ValidationError({"before": ["Not together with “after”."]})
        return attrs


class NumberedCursorQuery(CursorQuery):
    """The same of rows whose ids are numbers."""

    after = serializers.IntegerField(min_value=0, max_value=_LARGEST, required=False)  # type: ignore[assignment]  # of another kind
    before = serializers.IntegerField(min_value=0, max_value=_LARGEST, required=False)  # type: ignore[assignment]  # likewise


def cursor_page(
    request: Request,
    noun: str,
    rows: QuerySet[Any],
    query: Mapping[str, Any],
    *,
    show: Callable[[list[Any]], Any],
) -> Response:
    """The page that the cursor points at. `next` leads to older rows, `previous` to newer ones."""

    def fetch(part: Part) -> list[Any]:
        if part.before is not None:
            return list(rows.filter(pk__gt=part.before).order_by("pk")[: part.limit])
        older = rows if part.after is None else rows.filter(pk__lt=part.after)
        return list(older.order_by("-pk")[: part.limit])

    return cursor_answer(request, noun, fetch, query, show=show)


def cursor_answer(
    request: Request,
    noun: str,
    fetch: Callable[[Part], list[Any]],
    query: Mapping[str, Any],
    *,
    show: Callable[[list[Any]], Any],
) -> Response:
    """The same of what is no rows of one table; each has its `pk`.

    :param fetch: from a place on: the next older ones, or the next newer ones, nearest first.
    """
    limit = query["limit"]
    backwards = "before" in query
    part = fetch(Part(limit + 1, query.get("after"), query.get("before")))
    goes_on, part = len(part) > limit, part[:limit]
    if backwards:
        part.reverse()
    has_next = backwards or goes_on
    has_previous = goes_on if backwards else "after" in query
    return Response(
        {
            "next": _link(request, "after", part[-1].pk) if part and has_next else None,
            "previous": _link(request, "before", part[0].pk) if part and has_previous else None,
            noun: show(part),
        }
    )


def cursor_listing(noun: str, shape: type[serializers.Serializer[Any]], name: str) -> Any:
    """The list's shape, for the OpenAPI document."""
    return inline_serializer(
        name=f"{name}Page",
        fields={
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            noun: shape(many=True),
        },
    )


def _link(request: Request, direction: str, row_id: UUID | int) -> str:
    query = request.query_params.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    query[direction] = str(row_id)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
