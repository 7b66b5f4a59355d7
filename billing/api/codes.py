"""The stable codes of failures: one registry, `codes.toml` beside this module.

`/api/docs/errors` shows it, and the `type` of each problem leads there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, and what to do about it; each a sentence in which `…` marks code.

    :param statuses: the HTTP statuses it comes with; none of a decline code, which no problem has.
    """

    name: str
    meaning: str
    remedy: str
    statuses: tuple[int, ...] = ()


def _read(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Code]:
    return {
        name: Code(name, row["means"], row["do"], tuple(row.get("status", ())))
        for name, row in table.items()
    }


_REGISTRY: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
PROBLEMS: Final = _read(_REGISTRY["problems"])
DECLINES: Final = _read(_REGISTRY["declines"])
