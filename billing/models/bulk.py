"""Writing many rows in one statement.

Django's own `bulk_create` and `bulk_update` build an expression for every value, which costs a
billing run most of its time. These hand PostgreSQL the values as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field


def insert(rows: Iterable[models.Model]) -> None:
    """Store new rows of one model by COPY. Keys that the database gives are not read back.

    :raises IntegrityError: as any insert does; a conflict is never ignored.
    """
    new = list(rows)
    if not new:
        return
    meta, database = new[0]._meta, _database()
    columns = [field for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    names = ", ".join(f'"{field.column}"' for field in columns)
    with (
        database.cursor() as cursor,
        database.wrap_database_errors,
        cursor.copy(f'COPY "{meta.db_table}" ({names}) FROM STDIN') as copy,
    ):
        for row in new:
            copy.write_row(
                [
                    field.get_db_prep_save(field.pre_save(row, add=True), database)
                    for field in columns
                ]
            )
    for row in new:
        row._state.adding = False
        row._state.db = database.alias


def update(rows: Sequence[models.Model], *names: str) -> None:
    """Store the named fields of rows of one model by one `UPDATE … FROM unnest`."""
    if not rows:
        return
    meta, database = rows[0]._meta, _database()
    by_name = {field.name: field for field in meta.concrete_fields}
    columns: list[Field[Any, Any]] = [meta.pk, *(by_name[name] for name in names)]
    arrays = ", ".join(f"%s::{field.db_type(database)}[]" for field in columns)
    quoted = [f'"{field.column}"' for field in columns]
    assignments = ", ".join(f"{column} = changed.{column}" for column in quoted[1:])
    sql = (
        f'UPDATE "{meta.db_table}" AS stored SET {assignments}'
        f" FROM unnest({arrays}) AS changed({', '.join(quoted)})"
        f" WHERE stored.{quoted[0]} = changed.{quoted[0]}"
    )
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), database) for row in rows]
        for field in columns
    ]
    with database.cursor() as cursor:
        cursor.execute(sql, values)


def _database() -> BaseDatabaseWrapper:
    """The connection itself: `django.db.connection` looks it up anew for every attribute."""
    return connections["default"]
