"""How far usage has come towards a limit, and when it is worth looking again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

_STEP: Final = Fraction(1, 10**12)  # the least that can be counted


def reached(used: Decimal, limit: Fraction, percentages: Sequence[int]) -> int:
    """The highest of the percentages of a limit that was used; 0 for none of them."""
    return max(
        (percent for percent in percentages if Fraction(used) * 100 >= limit * percent), default=0
    )


def next_at(used: Decimal, limit: Fraction, percentages: Sequence[int]) -> Fraction | None:
    """The next quantity at which something is to be told; None beyond all of them.

    A wall stands where the limit is reached, an allowance ends only above it.
    """
    come_to = Fraction(used)
    return min((at for at in _worth_telling(limit, percentages) if at > come_to), default=None)


def _worth_telling(limit: Fraction, percentages: Sequence[int]) -> Iterator[Fraction]:
    yield limit
    yield limit + _STEP
    for percent in percentages:
        yield limit * percent / 100
