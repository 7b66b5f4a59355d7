from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billing.core import asking, breaker
from billing.core.breaker import CLOSED, FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Breaker

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def failing(times: int) -> Breaker:
    found = CLOSED
    for _ in range(times):
        found = found.failed(NOW)
    return found


def test_it_opens_on_repeated_failures_only() -> None:
    assert not failing(FAILURES - 1).is_open
    assert failing(FAILURES - 1).lets_through(NOW)
    opened = failing(FAILURES)
    assert (opened.is_open, opened.opened_at) == (True, NOW)
    assert not opened.lets_through(NOW)


def test_one_call_goes_through_to_see_while_the_others_wait() -> None:
    opened = failing(FAILURES)
    later = NOW + FIRST_PAUSE

    assert opened.lets_through(later)
    assert not opened.probing(later).lets_through(later)
    assert opened.probing(later).lets_through(later + FIRST_PAUSE)
    assert CLOSED.probing(NOW) == CLOSED


def test_each_probe_in_vain_doubles_the_pause_up_to_a_limit() -> None:
    pauses = []
    for times in range(FAILURES, FAILURES + 8):
        probe_at = failing(times).probe_at
        assert probe_at is not None
        pauses.append(probe_at - NOW)

    assert pauses[:3] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]
    assert pauses[-1] == LONGEST_PAUSE
    assert failing(FAILURES + 5000).probe_at == NOW + breaker.LONGEST_PAUSE


def test_asking_again_takes_longer_each_time_and_ends() -> None:
    waits = [asking.again_at(tries=tries, now=NOW) - NOW for tries in range(1, 12)]

    assert waits[:3] == [asking.FIRST, asking.FIRST * 2, asking.FIRST * 4]
    assert waits[-1] == asking.LONGEST
    assert not asking.is_over(sent_at=None, now=NOW)
    assert not asking.is_over(sent_at=NOW - asking.LIMIT + timedelta(seconds=1), now=NOW)
    assert asking.is_over(sent_at=NOW - asking.LIMIT, now=NOW)


def test_a_visit_is_asked_about_at_growing_distances() -> None:
    def wait(age: timedelta) -> timedelta | None:
        at = asking.visit_again_at(began_at=NOW - age, now=NOW)
        return None if at is None else at - NOW

    assert wait(timedelta(seconds=1)) == asking.VISIT_FIRST
    assert wait(timedelta(hours=3)) == timedelta(hours=3)
    assert wait(asking.VISIT_LAST + timedelta(seconds=1)) is None
