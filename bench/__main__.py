"""`python -m bench`: everything, each on an empty database of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.measure import Result
from supervisor import servers

RESULTS = Path(__file__).parent / "results.json"


def main(scale: int) -> None:
    """Measure, print, and write the figures beside this file."""
    home = Path(tempfile.mkdtemp(prefix="bursar-bench-"))
    try:
        with servers.running(home, durable=True) as found:
            os.environ["DATABASE_URL"] = found.database_url
            os.environ["REDIS_URL"] = found.redis_url
            results = list(_all(scale))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    RESULTS.write_text(json.dumps([result.to_json() for result in results], indent=2))


def _all(scale: int) -> Iterator[Result]:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
    django.setup()
    from bench import billing_run, checks, reading, usage

    measures: list[Callable[[int], Iterator[Result]]] = [
        reading.measure,
        usage.measure,
        checks.measure,
        billing_run.measure,
    ]
    for measure in measures:
        _empty_database()
        for result in measure(scale):
            print(result)
            yield result


def _empty_database() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("flush", interactive=False, verbosity=0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
