"""Tables of related rows, shown beneath an object: what belongs together on one page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import QuerySet

from billing.admin import cells
from customers.models import User

SHOWN: Final = 15  # rows of a table before it points to the list


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; amounts stand on the right, so that their digits do."""

    title: str
    is_amount: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in its column."""

    value: object
    is_amount: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table. Who may not view its model does not see it.

    :param headers: one of amounts begins with `#`.
    :param more: the URL of the whole list, where this is only its beginning.
    """

    model: type[models.Model]
    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    more: str = ""

    @property
    def columns(self) -> list[Column]:
        """What stands above the rows."""
        return [Column(text.removeprefix("#"), text.startswith("#")) for text in self.headers]

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows, each value with its place."""
        return [
            [Cell(value, column.is_amount) for column, value in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]


def visible(tables: Iterable[Table], user: User | AnonymousUser) -> list[Table]:
    """Those that the user may view."""
    return [table for table in tables if may_view(table.model, user)]


def may_view(model: type[models.Model], user: User | AnonymousUser) -> bool:
    """Whether the user has the model's view or change permission."""
    meta = model._meta  # noqa: SLF001  # Django's documented way
    return any(
        user.has_perm(f"{meta.app_label}.{verb}_{meta.model_name}") for verb in ("view", "change")
    )


def beginning(rows: QuerySet[Any], **query: object) -> tuple[list[Any], str]:
    """The first rows of a query, and the URL of the whole list if there are more.

    :param query: how the model's list is narrowed to the same rows.
    """
    found = list(rows[: SHOWN + 1])
    if len(found) <= SHOWN:
        return found, ""
    return found[:SHOWN], f"{cells.list_of(rows.model)}?{urlencode(query)}"
