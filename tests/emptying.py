"""Empties the database between tests in milliseconds.

Django's flush truncates every table and makes all permissions anew; with dj-stripe's tables that
takes half a second a test. Here only what has rows is emptied, triggers and foreign keys aside.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

_KEPT: Final = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "billing_taxrate",
}


def empty_database(_test: TransactionTestCase | None = None) -> None:
    """Delete every row but those that migrations made."""
    with connection.cursor() as cursor:
        tables = [
            name for name in connection.introspection.table_names(cursor) if name not in _KEPT
        ]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables
            )
        )
        filled = [row[0] for row in cursor.fetchall()]
        cursor.execute("SET session_replication_role = replica")
        for table in filled:
            cursor.execute(f'DELETE FROM "{table}"')
        cursor.execute("SET session_replication_role = DEFAULT")
        _restore_rates(cursor)


def _restore_rates(cursor: CursorWrapper) -> None:
    """The rates that Bursar comes with, where a test has changed them."""
    cursor.execute(_RATES)
    if _PRISTINE and cursor.fetchone() == _PRISTINE[0]:
        return
    cursor.execute("DELETE FROM billing_taxrate")
    import_module("billing.migrations.0011_first_tax_rates").load(apps, None)
    cursor.execute(_RATES)
    _PRISTINE[:] = [cursor.fetchone()]


_PRISTINE: Final[list[Any]] = []
_RATES: Final = """
SELECT count(*), sum(hashtext(concat_ws('|', country, region, tax_class, percent, starts_on,
                                        coalesce(ends_on::text, ''), source)))
  FROM billing_taxrate
"""
