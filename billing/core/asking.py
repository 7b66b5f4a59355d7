"""When a gateway that gave no answer is asked again, and when a person has to decide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

FIRST: Final = timedelta(seconds=15)
LONGEST: Final = timedelta(hours=1)
LIMIT: Final = timedelta(hours=24)
# What a gateway said it would tell is asked about all the same, should its notification be lost.
PROCESSING: Final = timedelta(hours=6)
# A visit to a gateway's page is asked about at growing distances, and given up after so long.
VISIT_FIRST: Final = timedelta(minutes=2)
VISIT_LAST: Final = timedelta(days=4)


def again_at(*, tries: int, now: datetime) -> datetime:
    """When to ask again after so many tries in vain: twice as long after each."""
    return now + min(FIRST * (1 << min(max(tries - 1, 0), 10)), LONGEST)


def is_over(*, sent_at: datetime | None, now: datetime) -> bool:
    """Whether asking by itself has gone on for long enough, counted from the first sending."""
    return sent_at is not None and now - sent_at >= LIMIT


def visit_again_at(*, began_at: datetime, now: datetime) -> datetime | None:
    """When to ask again about a visit that is still open; None once it is too old."""
    age = now - began_at
    return None if age > VISIT_LAST else now + max(age, VISIT_FIRST)
