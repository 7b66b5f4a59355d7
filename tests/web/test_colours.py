"""That text can be read on its ground, by the contrast that WCAG 2.2 asks for (AA, 4.5 : 1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import billing

SHEET = Path(billing.__file__).parent / "static" / "billing" / "bursar.css"
READ_ON = [
    ("ink", ["paper", "raised", "accent-wash", "wait-wash", "bad-wash"]),
    ("soft", ["paper", "raised", "accent-wash"]),
    ("accent", ["paper", "raised", "accent-wash", "bad-wash", "wait-wash"]),
    ("accent-ink", ["accent"]),
    ("wait", ["wait-wash"]),
    ("bad", ["bad-wash", "paper", "raised"]),
    ("paper", ["bad"]),
    ("sandbox", ["paper"]),
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [(t, g) for t, gs in READ_ON for g in gs])
def test_text_can_be_read(scheme: int, text: str, ground: str) -> None:
    colours = _schemes()[scheme]

    assert _contrast(colours[text], colours[ground]) >= 4.5


def _schemes() -> list[dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", SHEET.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): #([0-9a-f]{6});", block)) for block in blocks[:2]]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
