"""Columns and read-only fields, made from a field's name: `instant("issued_at")`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from django.contrib import admin

from billing.admin import cells

Column: TypeAlias = Any  # a function; the stubs know of none in `fields`, Django takes them


def instant(name: str, title: str = "") -> Column:
    """A point in time."""
    return _column(name, title, lambda row: cells.instant(getattr(row, name)), ordering=name)


def status(name: str = "status", title: str = "") -> Column:
    """A code as a coloured label."""
    return _column(name, title, lambda row: cells.status(getattr(row, name)), ordering=name)


def money(name: str, title: str = "") -> Column:
    """A property that gives `Money`; ordered by its column of minor units."""
    return _column(
        name, title, lambda row: cells.money(getattr(row, name)), ordering=f"{name}_minor"
    )


def quantity(name: str, title: str = "") -> Column:
    """A decimal without needless zeros."""
    return _column(name, title, lambda row: cells.quantity(getattr(row, name)), ordering=name)


def link(name: str, title: str = "") -> Column:
    """A foreign key that leads to the other row's page; select it with the row."""
    return _column(name, title, lambda row: cells.link(getattr(row, name)))


def code(name: str, title: str = "") -> Column:
    """An identifier."""
    return _column(name, title, lambda row: cells.code(getattr(row, name)))


def document(name: str, title: str = "") -> Column:
    """A JSON column."""
    return _column(name, title, lambda row: cells.document(getattr(row, name)))


def computed(title: str, show: Callable[[Any], object]) -> Column:
    """Whatever a function makes of the row."""
    return _column(title.lower().replace(" ", "_"), title, show)


def _column(
    name: str, title: str, show: Callable[[Any], object], *, ordering: str | None = None
) -> Column:
    def column(row: Any) -> object:
        return show(row)

    column.__name__ = name
    words = title or name.removesuffix("_at").replace("_", " ")
    return admin.display(column, description=words, ordering=ordering)
