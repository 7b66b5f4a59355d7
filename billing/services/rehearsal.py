"""Commands that are tried and undone: what would come of them, by their own code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is commanded inside is seen inside, and never was: it is rolled back at the end.

    A refusal leaves it as it leaves the command. For what a preview on values cannot suppose.
    """
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
