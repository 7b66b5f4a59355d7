"""Doing things at once, each in a thread with a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

_Result = TypeVar("_Result")


def at_once(*calls: Callable[[], _Result]) -> Sequence[_Result | Exception]:
    """Run the calls simultaneously; what each gave, or raised."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], _Result]) -> _Result | Exception:
        barrier.wait()
        try:
            return call()
        except Exception as error:  # the test asks which
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
