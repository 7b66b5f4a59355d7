"""The mirror's tables on a database that has nothing yet, as whoever installs Bursar has it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db.migrations.loader import MigrationLoader

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The address of a database of its own, dropped afterwards."""
    server, name = os.environ["DATABASE_URL"], f"empty_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield f"{server.rsplit('/', 1)[0]}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def manage(database: str, *arguments: str) -> str:
    environment = os.environ | {
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "config.settings_test",
    }
    command = [sys.executable, "manage.py", *arguments]
    run = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def tables(database: str) -> set[str]:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in rows}


def applied(database: str, app: str) -> set[str]:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT name FROM django_migrations WHERE app = %s", [app])
        return {name for (name,) in rows}


def test_the_tables_are_there_in_seconds_and_migrate_adds_none(empty_database: str) -> None:
    began = time.monotonic()
    told = manage(empty_database, "install_mirror")
    took = time.monotonic() - began

    assert told == "Created the mirror's tables.\n"
    assert took < 20, "it should take two or three seconds, even on a busy machine"
    mirror = {name for name in tables(empty_database) if name.startswith("djstripe_")}
    assert {"djstripe_customer", "djstripe_djstripeinvoicedefaulttaxrate"} <= mirror
    known = {name for app, name in MigrationLoader(None).disk_migrations if app == "djstripe"}
    assert applied(empty_database, "djstripe") == known

    assert "djstripe" not in manage(empty_database, "migrate", "--plan", "--skip-checks")
    assert manage(empty_database, "install_mirror").endswith("nothing to do.\n")
    assert {name for name in tables(empty_database) if name.startswith("djstripe_")} == mirror
