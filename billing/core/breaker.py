"""A circuit breaker: a gateway that does not answer is left alone, and probed by and by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

FAILURES: Final = 5  # in a row, after which it opens
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Breaker:
    """How calls went lately.

    :param failures: in a row, up to now.
    :param opened_at: since when no call goes through; None while all do.
    :param probe_at: when the next call goes through all the same, to see.
    """

    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls are held back."""
        return self.opened_at is not None

    def lets_through(self, now: datetime) -> bool:
        """Whether a call may be made."""
        return self.probe_at is None or self.probe_at <= now

    def probing(self, now: datetime) -> Breaker:
        """While one call goes through to see, the others wait as long again."""
        return replace(self, probe_at=now + _pause(self.failures)) if self.is_open else self

    def failed(self, now: datetime) -> Breaker:
        """A call got no answer: too many of these in a row open it, each further one for longer."""
        failures = self.failures + 1
        if failures < FAILURES:
            return replace(self, failures=failures)
        return Breaker(failures, self.opened_at or now, now + _pause(failures))


CLOSED: Final = Breaker()


def _pause(failures: int) -> timedelta:
    doublings = min(max(failures - FAILURES, 0), 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
