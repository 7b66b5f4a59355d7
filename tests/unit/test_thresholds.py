from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import thresholds

PERCENTAGES = (80, 100)


@pytest.mark.parametrize(
    ("used", "reached"),
    [("0", 0), ("7.99", 0), ("8", 80), ("9.99", 80), ("10", 100), ("1000", 100)],
)
def test_the_highest_percentage_that_was_used(used: str, reached: int) -> None:
    assert thresholds.reached(Decimal(used), Fraction(10), PERCENTAGES) == reached


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ("0", Fraction(8)),
        ("8", Fraction(10)),
        ("10", Fraction(10) + Fraction(1, 10**12)),
        ("10.000000000001", None),
    ],
)
def test_the_next_quantity_worth_a_look(used: str, expected: Fraction | None) -> None:
    assert thresholds.next_at(Decimal(used), Fraction(10), PERCENTAGES) == expected


def test_without_percentages_the_limit_itself_is_worth_a_look() -> None:
    assert thresholds.next_at(Decimal(0), Fraction(3), ()) == 3
    assert thresholds.reached(Decimal(9), Fraction(3), ()) == 0


@given(
    st.decimals(0, 10**6, places=12),
    st.fractions(Fraction(1, 1000), 10**6),
    st.lists(st.integers(1, 300), max_size=4),
)
def test_nothing_is_passed_over(used: Decimal, limit: Fraction, percentages: list[int]) -> None:
    """Up to just below the next look nothing changes; there, it does."""
    following = thresholds.next_at(used, limit, percentages)
    if following is None:
        assert Fraction(used) > limit
        return
    assert following > used
    below = [limit * percent / 100 for percent in percentages if limit * percent / 100 < following]
    assert all(Fraction(used) >= at for at in below)
