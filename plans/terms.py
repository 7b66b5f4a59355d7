"""The terms of a plan as one frozen value: what is snapshotted into a subscription.

Standard library only. A plan's version stores these terms as JSON and never changes them;
`billing.core` says what they cost. Numbers are rates in major units (`Decimal`), never amounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self


class Interval(StrEnum):
    """The unit a plan is charged by."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


class Alignment(StrEnum):
    """Where periods end: counted from the anchor, or with the calendar's own unit."""

    ANNIVERSARY = "ANNIVERSARY"
    CALENDAR = "CALENDAR"


class Proration(StrEnum):
    """By what a short period is measured."""

    DAY = "DAY"
    SECOND = "SECOND"
    FIXED_30 = "FIXED_30"
    NONE = "NONE"


class UsageModel(StrEnum):
    """How a metered quantity is priced."""

    ALLOWANCE = "ALLOWANCE"
    PER_UNIT = "PER_UNIT"
    GRADUATED = "GRADUATED"
    VOLUME = "VOLUME"
    PACKAGE = "PACKAGE"


TIERED: Final = frozenset({UsageModel.GRADUATED, UsageModel.VOLUME})


MAX_INTERVAL_COUNT: Final = 60
MAX_TRIAL_DAYS: Final = 3650
MAX_DECIMALS: Final = 12


class InvalidTermsError(ValueError):
    """Terms that make no sense: which field, and what is wrong with it."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(text)}" for name, text in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Tier:
    """A price for the units up to and including `up_to`; None in the last tier, for all others.

    `flat_amount` is due once when the tier is reached, the first one's even at no usage.
    """

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Price:
    """How a quantity is priced, whatever was counted.

    ALLOWANCE: `included` units free, then `unit_amount` each. PER_UNIT: each. GRADUATED: the units
    of each tier at its price. VOLUME: all of them at the price of the tier that the total is in.
    PACKAGE: `unit_amount` for each `package_size` units begun.
    """

    model: UsageModel
    unit_amount: Decimal = Decimal(0)
    included: Decimal = Decimal(0)
    tiers: tuple[Tier, ...] = ()
    package_size: Decimal | None = None

    @property
    def is_free(self) -> bool:
        """Whether no quantity costs anything."""
        return not self.unit_amount and not any(
            tier.unit_amount or tier.flat_amount for tier in self.tiers
        )

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON shape."""
        return {
            "model": self.model.value,
            "unit_amount": str(self.unit_amount),
            "included": str(self.included),
            "tiers": [
                {
                    "up_to": None if tier.up_to is None else str(tier.up_to),
                    "unit_amount": str(tier.unit_amount),
                    "flat_amount": str(tier.flat_amount),
                }
                for tier in self.tiers
            ],
            "package_size": None if self.package_size is None else str(self.package_size),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what `to_json` wrote."""
        size = stored["package_size"]
        return cls(
            model=UsageModel(stored["model"]),
            unit_amount=Decimal(stored["unit_amount"]),
            included=Decimal(stored["included"]),
            tiers=tuple(
                Tier(
                    up_to=None if tier["up_to"] is None else Decimal(tier["up_to"]),
                    unit_amount=Decimal(tier["unit_amount"]),
                    flat_amount=Decimal(tier["flat_amount"]),
                )
                for tier in stored["tiers"]
            ),
            package_size=None if size is None else Decimal(size),
        )


@dataclass(frozen=True, slots=True)
class UsageTerms:
    """The price of what one meter counts."""

    meter: str
    price: Price


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """Everything a subscription is billed by.

    `amount` is the recurring charge per interval, per unit of quantity where `quantity_unit` is
    set; `quantity_pricing` prices the quantity instead, and `amount` is zero then. `minimum` is
    the least total of a period. `first_day_counts=False` is seed 003's formula: days left =
    last day - start day.

    :raises InvalidTermsError: naming every field at fault.
    """

    currency: str
    amount: Decimal
    interval: Interval = Interval.MONTH
    interval_count: int = 1
    alignment: Alignment = Alignment.ANNIVERSARY
    trial_days: int = 0
    quantity_unit: str | None = None
    quantity_pricing: Price | None = None
    minimum: Decimal | None = None
    usage: tuple[UsageTerms, ...] = ()
    proration: Proration = Proration.DAY
    first_day_counts: bool = True
    features: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        errors = _faults(self)
        if errors:
            raise InvalidTermsError(errors)

    @property
    def meters(self) -> tuple[str, ...]:
        """The codes of the meters these terms price, in order."""
        return tuple(usage.meter for usage in self.usage)

    @property
    def is_free(self) -> bool:
        """Whether nothing can ever be due."""
        prices = [usage.price for usage in self.usage]
        if self.quantity_pricing is not None:
            prices.append(self.quantity_pricing)
        return not self.amount and not self.minimum and all(price.is_free for price in prices)

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON shape; decimals as strings, so that nothing is lost."""
        return {
            "currency": self.currency,
            "amount": str(self.amount),
            "interval": self.interval.value,
            "interval_count": self.interval_count,
            "alignment": self.alignment.value,
            "trial_days": self.trial_days,
            "quantity_unit": self.quantity_unit,
            "quantity_pricing": (
                None if self.quantity_pricing is None else self.quantity_pricing.to_json()
            ),
            "minimum": None if self.minimum is None else str(self.minimum),
            "usage": [{"meter": usage.meter, **usage.price.to_json()} for usage in self.usage],
            "proration": self.proration.value,
            "first_day_counts": self.first_day_counts,
            "features": dict(self.features),
            "limits": dict(self.limits),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what `to_json` wrote."""
        pricing, minimum = stored["quantity_pricing"], stored["minimum"]
        return cls(
            currency=stored["currency"],
            amount=Decimal(stored["amount"]),
            interval=Interval(stored["interval"]),
            interval_count=stored["interval_count"],
            alignment=Alignment(stored["alignment"]),
            trial_days=stored["trial_days"],
            quantity_unit=stored["quantity_unit"],
            quantity_pricing=None if pricing is None else Price.from_json(pricing),
            minimum=None if minimum is None else Decimal(minimum),
            usage=tuple(
                UsageTerms(usage["meter"], Price.from_json(usage)) for usage in stored["usage"]
            ),
            proration=Proration(stored["proration"]),
            first_day_counts=stored["first_day_counts"],
            features=stored["features"],
            limits=stored["limits"],
        )


def _faults(terms: PlanTerms) -> dict[str, list[str]]:
    """Each field at fault with its sentences."""
    checks = [
        ("currency", len(terms.currency) == 3 and terms.currency.isupper(), "An ISO 4217 code."),
        ("amount", _is_rate(terms.amount), "Not negative, and at most 12 decimals."),
        ("interval_count", 1 <= terms.interval_count <= MAX_INTERVAL_COUNT, "From 1 to 60."),
        ("trial_days", 0 <= terms.trial_days <= MAX_TRIAL_DAYS, "From 0 to 3650."),
        ("usage", len(set(terms.meters)) == len(terms.meters), "One price for each meter."),
        (
            "minimum",
            terms.minimum is None or _is_rate(terms.minimum),
            "Not negative, and at most 12 decimals.",
        ),
        (
            "amount",
            terms.quantity_pricing is None or not terms.amount,
            "Zero where the quantity has prices of its own.",
        ),
    ]
    faults: dict[str, list[str]] = {}
    for name, is_sound, sentence in checks:
        if not is_sound:
            faults.setdefault(name, []).append(sentence)
    for usage in terms.usage:
        if sentences := price_faults(usage.price):
            faults.setdefault("usage", []).extend(sentences)
    if sentences := _quantity_faults(terms):
        faults["quantity_pricing"] = sentences
    return faults


def price_faults(price: Price) -> list[str]:
    """What is wrong with a price, in sentences."""
    is_tiered = price.model in TIERED
    checks = [
        (
            _is_rate(price.unit_amount) and _is_rate(price.included),
            "Prices and included units are not negative and have at most 12 decimals.",
        ),
        (
            price.model == UsageModel.ALLOWANCE or not price.included,
            "Only the allowance model includes units.",
        ),
        (bool(price.tiers) == is_tiered, "Graduated and volume have tiers, and no other model."),
        (not (is_tiered and price.unit_amount), "The tiers say what a unit costs."),
        (
            (price.package_size is not None) == (price.model == UsageModel.PACKAGE),
            "A package has a size, and nothing else has.",
        ),
        (
            price.package_size is None or (_is_rate(price.package_size) and price.package_size > 0),
            "The size of a package is positive.",
        ),
        (_climb(price.tiers), "Tiers climb, and only the last has no upper bound."),
    ]
    return [sentence for is_sound, sentence in checks if not is_sound]


def _quantity_faults(terms: PlanTerms) -> list[str]:
    pricing = terms.quantity_pricing
    if pricing is None:
        return []
    sentences = price_faults(pricing)
    if pricing.model not in TIERED | {UsageModel.PACKAGE}:
        sentences.append("A quantity is priced as graduated, volume or package.")
    if terms.quantity_unit is None:
        sentences.append("It needs a quantity_unit.")
    return sentences


def _climb(tiers: tuple[Tier, ...]) -> bool:
    """Whether the bounds are positive and grow, the prices are sound, and the last is open."""
    if not tiers:
        return True
    bounds = [tier.up_to for tier in tiers[:-1]]
    if tiers[-1].up_to is not None or any(bound is None for bound in bounds):
        return False
    previous = Decimal(0)
    for bound in bounds:
        if bound is None or not _is_rate(bound) or bound <= previous:
            return False
        previous = bound
    return all(_is_rate(tier.unit_amount) and _is_rate(tier.flat_amount) for tier in tiers)


def _is_rate(value: Decimal) -> bool:
    if not value.is_finite() or value < 0:
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= MAX_DECIMALS
