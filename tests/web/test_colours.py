"""That text can be read on its ground, by the contrast that WCAG 2.2 asks for (AA, 4.5 : 1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import billing
from billing.core import colours

SHEET = Path(billing.__file__).parent / "static" / "billing" / "bursar.css"
READ_ON = [
    ("ink", ["paper", "raised", "accent-wash", "wait-wash", "bad-wash"]),
    ("soft", ["paper", "raised", "accent-wash"]),
    ("accent", ["paper", "raised", "accent-wash", "bad-wash", "wait-wash"]),
    ("accent-ink", ["accent"]),
    ("ink", ["good-wash"]),
    ("good", ["good-wash", "paper", "raised"]),
    ("wait", ["wait-wash"]),
    ("bad", ["bad-wash", "paper", "raised"]),
    ("paper", ["bad"]),
    ("sandbox", ["paper"]),
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [(t, g) for t, gs in READ_ON for g in gs])
def test_text_can_be_read(scheme: int, text: str, ground: str) -> None:
    values = _schemes()[scheme]

    assert colours.contrast(values[text], values[ground]) >= colours.READABLE


def _schemes() -> list[dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", SHEET.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks[:2]]
