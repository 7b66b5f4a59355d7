"""The drawing of usage: what is drawn, and that it needs nothing but the page's style sheet."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from billing.queries.usage import Day
from billing.web.chart import Drawing, draw


def test_line_and_area_end_with_the_last_day_counted() -> None:
    svg = _drawn([10, 30, 30, 80])

    area, line, included = (_xs(svg, serie) for serie in range(3))

    assert max(area) == max(line) < max(included)
    assert len(line) == 4
    assert len(included) == 30


@pytest.mark.parametrize("counts", [[0], [5], [0, 0, 0], [10**9, 10**12]])
def test_any_usage_can_be_drawn(counts: list[int]) -> None:
    svg = _drawn(counts)

    assert svg.count("<circle") == len(counts)
    assert "nan" not in svg.lower()


def test_without_an_allowance_there_is_no_line_for_it() -> None:
    assert "serie-2" not in _drawn([1, 2], included=None)


def test_nothing_in_it_needs_a_script_or_a_style() -> None:
    svg = _drawn([10, 20])

    assert not re.search(r"<(script|style|defs|desc|image)|style=|href|<!--", svg)
    assert 'role="img"' in svg
    assert 'aria-label="Usage"' in svg


def _drawn(counts: list[int], included: Fraction | None = Fraction(760, 3)) -> str:
    first = date(2026, 4, 1)
    days = [
        Day(first + timedelta(days=offset), Decimal(0), Decimal(count))
        for offset, count in enumerate(counts)
    ]
    return draw(Drawing(days, date(2026, 4, 30), included, "Usage"))


def _xs(svg: str, serie: int) -> list[float]:
    """The horizontal places of a series' points."""
    found = re.search(rf'serie-{serie} color-{serie}"><path d="([^"]*)"', svg)
    assert found is not None
    return [float(x) for x, _ in re.findall(r"([\d.]+) ([\d.]+)", found.group(1))]
