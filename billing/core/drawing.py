"""How credit is drawn: oldest expiry first, never more than there is, given back in reverse."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rank:
    """What says which of two grants is drawn first."""

    expires_at: datetime | None
    priority: int
    effective_at: datetime
    key: str

    @property
    def order(self) -> tuple[datetime, int, datetime, str]:
        """The oldest expiry first; then the lowest priority, then what was given first."""
        return (self.expires_at or _NEVER, self.priority, self.effective_at, self.key)


@dataclass(frozen=True, slots=True)
class Part(Generic[_K]):
    """How much, in minor units, of which grant."""

    grant: _K
    minor: int


def draw(left: Iterable[Part[_K]], wanted: int) -> list[Part[_K]]:
    """Take from grants in their order until it is enough, or nothing is left.

    :param left: what is left of each grant.
    """
    parts = []
    for part in left:
        taken = min(part.minor, wanted)
        if taken > 0:
            parts.append(Part(part.grant, taken))
            wanted -= taken
    return parts


def give_back(drawn: Sequence[Part[_K]], wanted: int) -> list[Part[_K]]:
    """Undo draws, the newest first, until it is enough; the parts are positive.

    :param drawn: in the order it was drawn; negative where it was given back.
    """
    net: dict[_K, int] = {}
    for part in drawn:
        so_far = net[part.grant] if part.minor < 0 else net.pop(part.grant, 0)
        net[part.grant] = so_far + part.minor  # a grant stands where it was last drawn
    return draw((Part(grant, minor) for grant, minor in reversed(net.items())), wanted)
