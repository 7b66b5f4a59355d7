"""One measurement: how fast we are, how fast the limit is, and the ratio."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """Rates are per second. `limit` is what the ratio is against, in words."""

    name: str
    unit: str
    rate: float
    limit: str
    limit_rate: float

    @property
    def ratio(self) -> float:
        """Ours against the limit; 1 is as fast as it gets."""
        return self.rate / self.limit_rate

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        return {**asdict(self), "ratio": self.ratio}

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.rate:,.0f} {self.unit}/s, "
            f"{self.ratio:.2f} × {self.limit} ({self.limit_rate:,.0f}/s)"
        )


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second, when `work` does `count` of them."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)
