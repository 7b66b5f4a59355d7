"""Shares of an interval, by every policy, and the split of a price where something changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import proration
from billing.core.money import Money, round_minor
from billing.core.periods import Cadence
from billing.core.proration import Ruler, Share
from plans.terms import Alignment, Interval, Proration
from tests.terms import seed_terms

ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Tokyo", "Europe/Berlin", "America/Santiago")]


def share(anchor: str, policy: Proration, *, first_day_counts: bool = False) -> str:
    start = datetime.fromisoformat(anchor).replace(tzinfo=UTC)
    cadence = Cadence(start, Interval.MONTH, 1, Alignment.CALENDAR, ZoneInfo("UTC"))
    terms = seed_terms("1", "1", "1", proration=policy, first_day_counts=first_day_counts)
    return str(proration.opening(terms, cadence, start)[1])


@pytest.mark.parametrize(
    ("anchor", "policy", "first_day_counts", "expected"),
    [
        ("2026-04-11 15:00", Proration.DAY, False, "19/30 days"),
        ("2026-04-11 15:00", Proration.DAY, True, "20/30 days"),
        ("2026-04-01 00:00", Proration.DAY, False, "29/30 days"),
        ("2026-04-01 00:00", Proration.DAY, True, "30/30 days"),
        ("2026-04-29 23:59", Proration.DAY, False, "1/30 days"),
        ("2026-04-30 00:00", Proration.DAY, False, "31/31 days"),
        ("2026-04-30 00:00", Proration.DAY, True, "1/30 days"),
        ("2024-02-10 08:00", Proration.DAY, False, "19/29 days"),
        ("2026-01-01 08:00", Proration.FIXED_30, True, "30/30 days"),
        ("2026-05-15 08:00", Proration.FIXED_30, False, "15/30 days"),
        ("2026-05-15 08:00", Proration.FIXED_30, True, "16/30 days"),
        ("2026-04-16 00:00", Proration.SECOND, False, "1296000/2592000 seconds"),
        ("2026-04-11 15:00", Proration.NONE, False, "1/1 period"),
    ],
)
def test_the_share_of_a_short_first_month(
    anchor: str, policy: Proration, first_day_counts: bool, expected: str
) -> None:
    assert share(anchor, policy, first_day_counts=first_day_counts) == expected


@given(
    st.integers(min_value=0, max_value=10**12),
    st.sampled_from(["USD", "JPY", "KWD"]),
    st.integers(min_value=1, max_value=366),
    st.data(),
)
def test_the_unused_part_is_rounded_and_the_used_one_its_complement(
    minor: int, currency: str, whole: int, data: st.DataObject
) -> None:
    paid = Share(data.draw(st.integers(min_value=0, max_value=whole)), whole)
    rest = Share(data.draw(st.integers(min_value=0, max_value=paid.used)), whole)
    price = Money(minor, currency)

    unused = proration.unused(price, paid=paid, rest=rest)

    part = Fraction(rest.used, paid.used) if paid.used else Fraction(0)
    assert unused == round_minor(Fraction(price.major) * part, currency)
    assert 0 <= unused.minor <= price.minor


@given(st.sampled_from(Proration), st.booleans(), st.sampled_from(Interval), st.data())
def test_what_is_left_only_shrinks_and_ends_at_nothing(
    policy: Proration, first_day_counts: bool, interval: Interval, data: st.DataObject
) -> None:
    """So used + unused is the whole at any instant, and two cuts give what one would have."""
    zone = data.draw(st.sampled_from(ZONES))
    start = datetime(2024, 1, 31, 23, 30, tzinfo=UTC) + timedelta(
        minutes=data.draw(st.integers(min_value=0, max_value=60 * 24 * 800))
    )
    terms = seed_terms(
        "1", "1", "1", interval=interval, proration=policy, first_day_counts=first_day_counts
    )
    cadence = Cadence.of(terms, anchor=start, zone=zone)
    ruler = Ruler.of(terms, zone)
    span, share = proration.opening(terms, cadence, start)
    length = (span.period.end - start).total_seconds()
    parts = data.draw(st.lists(st.floats(min_value=0, max_value=1), min_size=2, max_size=4))
    cuts = [start + timedelta(seconds=int(length * part)) for part in sorted(parts)]

    left = [ruler.rest_of(share, span.period.end, at=cut).used for cut in cuts]

    assert 0 <= share.used <= share.whole
    assert left == sorted(left, reverse=True)
    assert all(0 <= rest <= share.used for rest in left)
    assert ruler.rest_of(share, span.period.end, at=span.period.end).used == 0


def test_a_day_is_a_day_whatever_the_clocks_do() -> None:
    """Berlin's March has 743 hours: days do not notice, seconds do."""
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 16, tzinfo=berlin).astimezone(UTC)
    found = []
    for policy in (Proration.DAY, Proration.SECOND):
        terms = seed_terms("1", "1", "1", proration=policy, first_day_counts=True)
        cadence = Cadence.of(terms, anchor=start, zone=berlin)
        found.append(str(proration.opening(terms, cadence, start)[1]))
    assert found == ["16/31 days", f"{16 * 86400 - 3600}/{31 * 86400 - 3600} seconds"]
