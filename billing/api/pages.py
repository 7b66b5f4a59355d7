"""Lists: `{"total", "limit", "offset", "<plural noun>": […]}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Model, QuerySet
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from billing.api.fields import Strict

MAX_LIMIT = 100
DEFAULT_LIMIT = 10
_LARGEST = 2**31 - 1


class PageQuery(Strict):
    """Which part of a list."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, required=False
    )
    offset = serializers.IntegerField(min_value=0, max_value=_LARGEST, default=0, required=False)


def page(
    noun: str,
    rows: QuerySet[Any] | Sequence[Any],
    query: Mapping[str, Any],
    *,
    show: Callable[[list[Any]], Any],
) -> Response:
    """The part of the rows that was asked for.

    :param show: rows into what is answered, all at once, so that it can fetch for all.
    """
    limit, offset = query["limit"], query["offset"]
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    part: list[Model] = list(rows[offset : offset + limit])
    return Response({"total": total, "limit": limit, "offset": offset, noun: show(part)})


def listing(noun: str, shape: type[serializers.Serializer[Any]], name: str) -> Any:
    """The list's shape, for the OpenAPI document."""
    return inline_serializer(
        name=f"{name}List",
        fields={
            "total": serializers.IntegerField(),
            "limit": serializers.IntegerField(),
            "offset": serializers.IntegerField(),
            noun: shape(many=True),
        },
    )
