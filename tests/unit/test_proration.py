from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.money import Money
from billing.core.periods import Cadence
from billing.core.proration import Share, first_period, split
from plans.terms import Alignment, Interval, Proration
from tests.terms import seed_terms


def share(anchor: str, proration: Proration, *, first_day_counts: bool = False) -> str:
    start = datetime.fromisoformat(anchor).replace(tzinfo=UTC)
    cadence = Cadence(start, Interval.MONTH, 1, Alignment.CALENDAR, ZoneInfo("UTC"))
    terms = seed_terms("1", "1", "1", proration=proration, first_day_counts=first_day_counts)
    return str(first_period(terms, cadence)[1])


@pytest.mark.parametrize(
    ("anchor", "proration", "first_day_counts", "expected"),
    [
        ("2026-04-11 15:00", Proration.DAY, False, "19/30 days"),
        ("2026-04-11 15:00", Proration.DAY, True, "20/30 days"),
        ("2026-04-01 00:00", Proration.DAY, False, "29/30 days"),
        ("2026-04-01 00:00", Proration.DAY, True, "30/30 days"),
        ("2026-04-29 23:59", Proration.DAY, False, "1/30 days"),
        ("2026-04-30 00:00", Proration.DAY, False, "1/1 period"),
        ("2026-04-30 00:00", Proration.DAY, True, "1/30 days"),
        ("2024-02-10 08:00", Proration.DAY, False, "19/29 days"),
        ("2026-01-01 08:00", Proration.FIXED_30, True, "30/30 days"),
        ("2026-05-15 08:00", Proration.FIXED_30, False, "16/30 days"),
        ("2026-04-16 00:00", Proration.SECOND, False, "1296000/2592000 seconds"),
        ("2026-04-11 15:00", Proration.NONE, False, "1/1 period"),
    ],
)
def test_the_share_of_a_short_first_month(
    anchor: str, proration: Proration, first_day_counts: bool, expected: str
) -> None:
    assert share(anchor, proration, first_day_counts=first_day_counts) == expected


@given(
    st.integers(min_value=0, max_value=10**12),
    st.sampled_from(["USD", "JPY", "KWD"]),
    st.integers(min_value=1, max_value=366),
    st.data(),
)
def test_used_and_unused_are_exact_complements(
    minor: int, currency: str, whole: int, data: st.DataObject
) -> None:
    used_days = data.draw(st.integers(min_value=0, max_value=whole))
    price = Money(minor, currency)
    used, unused = split(price, Share(used_days, whole))
    assert used + unused == price
    assert used.minor >= 0
    assert unused.minor >= 0
