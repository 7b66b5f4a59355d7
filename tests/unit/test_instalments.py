from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import instalments
from billing.core.errors import InvalidError
from billing.core.instalments import Part, Rhythm
from billing.core.money import Money, total
from plans.terms import Interval

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 31, 11, tzinfo=UTC)
_amounts = st.lists(st.integers(1, 10_000), min_size=1, max_size=6)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def parts(*minors: int) -> list[Part]:
    return [Part(usd(minor), START + timedelta(days=day)) for day, minor in enumerate(minors)]


def test_a_split_sums_exactly_and_keeps_the_day_of_the_month() -> None:
    found = instalments.spread(usd(100_00), Rhythm(3, START, Interval.MONTH), zone=BERLIN)

    assert [part.amount for part in found] == [usd(33_34), usd(33_33), usd(33_33)]
    assert [f"{part.due_at:%m-%d %H}" for part in found] == ["01-31 11", "02-28 11", "03-31 10"]


@pytest.mark.parametrize("count", [0, -1, 6])
def test_there_are_no_more_parts_than_there_is_money(count: int) -> None:
    with pytest.raises(InvalidError, match="parts"):
        instalments.spread(usd(5), Rhythm(count, START, Interval.DAY), zone=BERLIN)


def test_paying_more_pays_the_earliest_parts_first() -> None:
    assert instalments.paid(usd(45), parts(30, 30, 40)) == [usd(30), usd(25), usd(0)]


def test_what_is_due_is_what_is_not_left_to_later_parts() -> None:
    three = parts(30, 30, 40)

    assert instalments.due_now(usd(100), three, now=START) == usd(30)
    assert instalments.due_now(usd(45), three, now=START) == usd(0)
    assert instalments.due_now(usd(45), three, now=START + timedelta(days=1)) == usd(5)
    assert instalments.next_due(usd(45), three) == Part(usd(5), three[1].due_at)


def test_a_credit_note_shrinks_the_last_parts() -> None:
    three = parts(30, 30, 40)

    assert instalments.lessened(three, usd(55)) == [three[0], Part(usd(15), three[1].due_at)]
    assert instalments.lessened(three, usd(100)) == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ([], "Each part asks"),
        (parts(50, 0, 50), "Each part asks"),
        (parts(50, 40), "what is owed: 1.00 USD"),
        (parts(50, 50)[::-1], "after the one before"),
        ([Part(usd(100), START - timedelta(days=2))], "before the invoice was issued"),
    ],
)
def test_parts_that_make_no_sense_are_refused(wanted: list[Part], words: str) -> None:
    with pytest.raises(InvalidError, match=words):
        instalments.require_sound(usd(100), wanted, since=START - timedelta(days=1))


@given(_amounts, st.data())
def test_what_is_paid_and_what_is_due_are_all_of_it(
    amounts: list[int], data: st.DataObject
) -> None:
    agreed = parts(*amounts)
    owed = usd(data.draw(st.integers(0, sum(amounts))))
    paid = instalments.paid(owed, agreed)

    assert total(paid, "USD") == usd(sum(amounts)) - owed
    last = agreed[-1].due_at
    assert instalments.due_now(owed, agreed, now=last) == owed
    first = next((i for i, part in enumerate(agreed) if paid[i] < part.amount), None)
    following = instalments.next_due(owed, agreed)
    assert (following is None) == (first is None)
    if following is not None and first is not None:
        assert following == Part(agreed[first].amount - paid[first], agreed[first].due_at)
