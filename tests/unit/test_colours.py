"""Whatever colour a brand has, what is written on it and in it can be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import pytest

import billing
from billing.core import colours, schemes
from billing.core.schemes import Scheme

SHEET = Path(billing.__file__).parent / "static" / "billing" / "bursar.css"
GRID = [
    f"#{red}{green}{blue}" for red, green, blue in product(("00", "40", "80", "bf", "ff"), repeat=3)
]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", "21.00"),
        ("#777777", "#ffffff", "4.48"),
        ("#abcdef", "#abcdef", "1.00"),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: str) -> None:
    assert f"{colours.contrast(one, other):.2f}" == f"{colours.contrast(other, one):.2f}" == ratio


@pytest.mark.parametrize(
    ("ground", "ink"),
    [
        ("#ffd400", "#000000"),
        ("#0f6b52", "#ffffff"),
        ("#ff0000", "#000000"),
        ("#cc0000", "#ffffff"),
        ("#ffffff", "#000000"),
    ],
)
def test_ink_is_black_or_white(ground: str, ink: str) -> None:
    assert colours.ink_on(ground) == ink


@pytest.mark.parametrize(
    ("scheme_of", "grounds", "ink", "soft"),
    [
        (schemes.light, schemes.LIGHT, "#1b2420", "#56635d"),
        (schemes.dark, schemes.DARK, "#e8ede9", "#a3b0a9"),
    ],
    ids=["light", "dark"],
)
def test_all_text_can_be_read_in_any_colour(
    scheme_of: Callable[[str], Scheme], grounds: Sequence[str], ink: str, soft: str
) -> None:
    faults = []
    for colour in GRID:
        scheme = scheme_of(colour)
        pairs = [(scheme.ink, scheme.brand), (ink, scheme.wash), (soft, scheme.wash)]
        pairs += [(scheme.accent, ground) for ground in (*grounds, scheme.wash)]
        faults += [(colour, *pair) for pair in pairs if colours.contrast(*pair) < 4.5]

    assert faults == []


def test_a_colour_that_can_be_read_is_left_as_it_is() -> None:
    assert schemes.light("#0f6b52").accent == "#0f6b52"
    assert schemes.dark("#74cdae").accent == "#74cdae"
    assert schemes.light("#ffd400").accent != "#ffd400" == schemes.light("#ffd400").brand


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    blocks = re.findall(r":root \{(.*?)\}", SHEET.read_text(encoding="utf-8"), flags=re.DOTALL)
    for block, grounds in zip(blocks[:2], (schemes.LIGHT, schemes.DARK), strict=True):
        named = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        assert tuple(named[n] for n in ("paper", "raised", "wait-wash", "bad-wash")) == grounds


@pytest.mark.parametrize("text", ["", "#fff", "0f6b52", "#0f6b5", "#0f6b52;", "#0f6b52\n", "red"])
def test_what_is_no_colour(text: str) -> None:
    assert not colours.is_colour(text)
