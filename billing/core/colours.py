"""Colours that can be read, by the contrast that WCAG 2.2 asks for (AA, 4.5 : 1).

A colour is `#rrggbb`, in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

READABLE: Final = 4.5
BLACK: Final = "#000000"
WHITE: Final = "#ffffff"
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_STEPS: Final = 50


def is_colour(text: str) -> bool:
    """Whether it is written `#rrggbb`."""
    return _COLOUR.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """From 1 (alike) to 21 (black on white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def ink_on(ground: str) -> str:
    """Black or white, whichever is read more easily; of any ground one of them is readable."""
    return max(BLACK, WHITE, key=lambda ink: contrast(ink, ground))


def mixed(one: str, other: str, *, hundredths: int) -> str:
    """Of the other so many hundredths, and the rest of the one."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    parts = [(a * (100 - hundredths) + b * hundredths + 50) // 100 for a, b in pairs]
    return "#" + "".join(f"{part:02x}" for part in parts)


def readable_on(grounds: Iterable[str], colour: str) -> str:
    """The colour, darkened on light grounds or lightened on dark ones until it is read on all.

    The grounds are all light or all dark. It ends at black or white at the latest.
    """
    found = list(grounds)
    towards = ink_on(found[0])
    for step in range(_STEPS + 1):
        shade = mixed(colour, towards, hundredths=step * 100 // _STEPS)
        if all(contrast(shade, ground) >= READABLE for ground in found):
            return shade
    return towards


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _parts(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
