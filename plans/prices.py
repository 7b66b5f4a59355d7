"""The price of a quantity as one frozen value. Standard library only.

Numbers are rates in major units (`Decimal`), never amounts; `billing.core.rating` says what a
quantity costs at a price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self


class UsageModel(StrEnum):
    """How a quantity is priced."""

    ALLOWANCE = "ALLOWANCE"
    PER_UNIT = "PER_UNIT"
    GRADUATED = "GRADUATED"
    VOLUME = "VOLUME"
    PACKAGE = "PACKAGE"
    PERCENTAGE = "PERCENTAGE"


TIERED: Final = frozenset({UsageModel.GRADUATED, UsageModel.VOLUME})
WITH_FREE_UNITS: Final = frozenset(
    {UsageModel.ALLOWANCE, UsageModel.PACKAGE, UsageModel.PERCENTAGE}
)
MAX_DECIMALS: Final = 12
# Above it a figure is a slip of the hand, and sums would leave what is stored.
LARGEST: Final = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Tier:
    """A price for the units up to and including `up_to`; None in the last tier, for all others.

    `flat_amount` is due once when the tier is reached, the first one's even at no usage. With a
    `package_size`, `unit_amount` is due for each package begun.
    """

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal = Decimal(0)
    package_size: Decimal | None = None

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON shape."""
        return {
            "up_to": _text(self.up_to),
            "unit_amount": str(self.unit_amount),
            "flat_amount": str(self.flat_amount),
            "package_size": _text(self.package_size),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what `to_json` wrote, now or before tiers had packages."""
        return cls(
            up_to=_number(stored["up_to"]),
            unit_amount=Decimal(stored["unit_amount"]),
            flat_amount=Decimal(stored["flat_amount"]),
            package_size=_number(stored.get("package_size")),
        )


@dataclass(frozen=True, slots=True)
class Price:
    """How a quantity is priced, whatever was counted.

    ALLOWANCE: `included` units free, then `unit_amount` each. PER_UNIT: each. GRADUATED: the units
    of each tier at its price. VOLUME: all of them at the price of the tier that the total is in.
    PACKAGE: `unit_amount` for each `package_size` units begun above those included. PERCENTAGE:
    the quantity is an amount of money, and `percent` of what is above `included` is due.
    """

    model: UsageModel
    unit_amount: Decimal = Decimal(0)
    included: Decimal = Decimal(0)
    tiers: tuple[Tier, ...] = ()
    package_size: Decimal | None = None
    percent: Decimal | None = None

    @property
    def is_free(self) -> bool:
        """Whether no quantity costs anything."""
        return not (self.unit_amount or self.percent) and not any(
            tier.unit_amount or tier.flat_amount for tier in self.tiers
        )

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON shape."""
        return {
            "model": self.model.value,
            "unit_amount": str(self.unit_amount),
            "included": str(self.included),
            "tiers": [tier.to_json() for tier in self.tiers],
            "package_size": _text(self.package_size),
            "percent": _text(self.percent),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what `to_json` wrote, now or before there were percentages."""
        return cls(
            model=UsageModel(stored["model"]),
            unit_amount=Decimal(stored["unit_amount"]),
            included=Decimal(stored["included"]),
            tiers=tuple(Tier.from_json(tier) for tier in stored["tiers"]),
            package_size=_number(stored["package_size"]),
            percent=_number(stored.get("percent")),
        )


def faults(price: Price) -> list[str]:
    """What is wrong with a price, in sentences."""
    is_tiered = price.model in TIERED
    is_percentage = price.model == UsageModel.PERCENTAGE
    checks = [
        (
            is_rate(price.unit_amount) and is_rate(price.included),
            "Prices and included units are not negative and have at most 12 decimals.",
        ),
        (
            price.model in WITH_FREE_UNITS or not price.included,
            "Only the allowance, package and percentage models include units.",
        ),
        (bool(price.tiers) == is_tiered, "Graduated and volume have tiers, and no other model."),
        (not (is_tiered and price.unit_amount), "The tiers say what a unit costs."),
        (
            (price.package_size is not None) == (price.model == UsageModel.PACKAGE),
            "A package has a size, and nothing else has.",
        ),
        (_is_size(price.package_size), "The size of a package is positive."),
        (
            (price.percent is not None) == is_percentage
            and (price.percent is None or is_rate(price.percent)),
            "A percentage has a percent that is not negative, and nothing else has.",
        ),
        (not (is_percentage and price.unit_amount), "A percentage has no price per unit."),
        (_climb(price.tiers), "Tiers climb, and only the last has no upper bound."),
    ]
    return [sentence for is_sound, sentence in checks if not is_sound]


def is_rate(value: Decimal) -> bool:
    """Whether a number may be a rate: finite, not negative, at most 12 decimals."""
    if not value.is_finite() or not 0 <= value < LARGEST:
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= MAX_DECIMALS


def _climb(tiers: tuple[Tier, ...]) -> bool:
    """Whether the bounds are positive and grow, the prices are sound, and the last is open."""
    if not tiers:
        return True
    bounds = [tier.up_to for tier in tiers[:-1]]
    if tiers[-1].up_to is not None or any(bound is None for bound in bounds):
        return False
    previous = Decimal(0)
    for bound in bounds:
        if bound is None or not is_rate(bound) or bound <= previous:
            return False
        previous = bound
    return all(
        is_rate(tier.unit_amount) and is_rate(tier.flat_amount) and _is_size(tier.package_size)
        for tier in tiers
    )


def _is_size(size: Decimal | None) -> bool:
    return size is None or (is_rate(size) and size > 0)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(stored: str | None) -> Decimal | None:
    return None if stored is None else Decimal(stored)
