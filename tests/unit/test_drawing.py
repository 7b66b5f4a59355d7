from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing.core import drawing
from billing.core.drawing import Part, Rank

DAY = datetime(2026, 4, 1, tzinfo=UTC)
_lefts = st.lists(st.integers(0, 500), max_size=8)
_days = st.integers(0, 5).map(lambda days: DAY + timedelta(days=days))
_ranks = st.builds(Rank, st.none() | _days, st.integers(0, 3), _days, st.uuids().map(str))


def parts(*lefts: int) -> list[Part[int]]:
    return [Part(place, left) for place, left in enumerate(lefts)]


def test_grants_are_drawn_in_their_order_until_it_is_enough() -> None:
    assert drawing.draw(parts(30, 50, 20), 60) == [Part(0, 30), Part(1, 30)]


def test_an_empty_grant_is_passed_over() -> None:
    assert drawing.draw(parts(0, 5), 3) == [Part(1, 3)]


def test_nothing_is_drawn_for_nothing() -> None:
    assert drawing.draw(parts(30), 0) == []
    assert drawing.draw(parts(30), -5) == []


@given(_lefts, st.integers(0, 3000))
def test_a_grant_is_never_overdrawn_and_no_more_is_drawn_than_wanted(
    lefts: list[int], wanted: int
) -> None:
    drawn = drawing.draw(parts(*lefts), wanted)

    assert all(0 < part.minor <= lefts[part.grant] for part in drawn)
    assert sum(part.minor for part in drawn) == min(wanted, sum(lefts))
    for part in drawn[1:]:  # whoever comes later is touched only when those before are empty
        emptied = {row.grant for row in drawn if row.minor == lefts[row.grant]}
        assert all(not lefts[place] or place in emptied for place in range(part.grant))


@given(st.lists(_ranks, max_size=8))
def test_the_oldest_expiry_comes_first_and_what_never_expires_last(ranks: list[Rank]) -> None:
    found = sorted(ranks, key=lambda rank: rank.order)

    for first, then in pairwise(found):
        if first.expires_at is None:
            assert then.expires_at is None
        elif then.expires_at is not None:
            assert first.expires_at <= then.expires_at
        if first.expires_at == then.expires_at:
            assert (first.priority, first.effective_at) <= (then.priority, then.effective_at)


def test_the_newest_draw_is_given_back_first() -> None:
    drawn = [Part("a", 30), Part("b", 20), Part("a", 10)]

    assert drawing.give_back(drawn, 45) == [Part("a", 40), Part("b", 5)]


def test_what_was_given_back_is_not_given_back_again() -> None:
    drawn = [Part("a", 30), Part("b", 20), Part("b", -15)]

    assert drawing.give_back(drawn, 100) == [Part("b", 5), Part("a", 30)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 100)), max_size=12), st.data())
def test_giving_back_never_returns_more_to_a_grant_than_was_drawn(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    drawn = [Part(grant, minor) for grant, minor in rows]
    left = sum(part.minor for part in drawn)
    while left:
        wanted = data.draw(st.integers(1, left))
        back = drawing.give_back(drawn, wanted)
        assert sum(part.minor for part in back) == wanted
        drawn += [Part(part.grant, -part.minor) for part in back]
        left -= wanted
        nets = [sum(row.minor for row in drawn if row.grant == grant) for grant in range(4)]
        assert all(net >= 0 for net in nets)
