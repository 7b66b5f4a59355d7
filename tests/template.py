"""A migrated database that every worker's is a copy of: to migrate takes half a minute of each."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg


def migrate() -> str:
    """Migrate the run's own database, which nothing else uses; its name.

    Whoever comes first does it, the others wait.
    """
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, dbname="postgres", autocommit=True) as beside:
        beside.execute("SELECT pg_advisory_lock(1)")
        with psycopg.connect(url) as own:
            found = own.execute("SELECT to_regclass('django_migrations')").fetchone()
            name = own.info.dbname
        if found == (None,):
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
    return name


if __name__ == "__main__":
    migrate()
