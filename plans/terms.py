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


MAX_INTERVAL_COUNT: Final = 60
MAX_TRIAL_DAYS: Final = 3650
MAX_DECIMALS: Final = 12


class InvalidTermsError(ValueError):
    """Terms that make no sense: which field, and what is wrong with it."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(text)}" for name, text in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class UsageTerms:
    """The price of what one meter counts: `included` units free, then `unit_amount` each."""

    meter: str
    model: UsageModel
    unit_amount: Decimal
    included: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """Everything a subscription is billed by.

    `amount` is the recurring charge per interval, per unit of quantity where `quantity_unit` is
    set. `first_day_counts=False` is seed 003's formula: days left = last day - start day.

    :raises InvalidTermsError: naming every field at fault.
    """

    currency: str
    amount: Decimal
    interval: Interval = Interval.MONTH
    interval_count: int = 1
    alignment: Alignment = Alignment.ANNIVERSARY
    trial_days: int = 0
    quantity_unit: str | None = None
    usage: tuple[UsageTerms, ...] = ()
    proration: Proration = Proration.DAY
    first_day_counts: bool = True
    features: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        errors = dict(_faults(self))
        if errors:
            raise InvalidTermsError(errors)

    @property
    def meters(self) -> tuple[str, ...]:
        """The codes of the meters these terms price, in order."""
        return tuple(usage.meter for usage in self.usage)

    @property
    def is_free(self) -> bool:
        """Whether nothing can ever be due."""
        return not self.amount and not any(usage.unit_amount for usage in self.usage)

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
            "usage": [
                {
                    "meter": usage.meter,
                    "model": usage.model.value,
                    "unit_amount": str(usage.unit_amount),
                    "included": str(usage.included),
                }
                for usage in self.usage
            ],
            "proration": self.proration.value,
            "first_day_counts": self.first_day_counts,
            "features": dict(self.features),
            "limits": dict(self.limits),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what `to_json` wrote."""
        return cls(
            currency=stored["currency"],
            amount=Decimal(stored["amount"]),
            interval=Interval(stored["interval"]),
            interval_count=stored["interval_count"],
            alignment=Alignment(stored["alignment"]),
            trial_days=stored["trial_days"],
            quantity_unit=stored["quantity_unit"],
            usage=tuple(
                UsageTerms(
                    meter=usage["meter"],
                    model=UsageModel(usage["model"]),
                    unit_amount=Decimal(usage["unit_amount"]),
                    included=Decimal(usage["included"]),
                )
                for usage in stored["usage"]
            ),
            proration=Proration(stored["proration"]),
            first_day_counts=stored["first_day_counts"],
            features=stored["features"],
            limits=stored["limits"],
        )


def _faults(terms: PlanTerms) -> list[tuple[str, list[str]]]:
    """Each field at fault with its sentences."""
    checks = [
        ("currency", len(terms.currency) == 3 and terms.currency.isupper(), "An ISO 4217 code."),
        ("amount", _is_rate(terms.amount), "Not negative, and at most 12 decimals."),
        ("interval_count", 1 <= terms.interval_count <= MAX_INTERVAL_COUNT, "From 1 to 60."),
        ("trial_days", 0 <= terms.trial_days <= MAX_TRIAL_DAYS, "From 0 to 3650."),
        ("usage", len(set(terms.meters)) == len(terms.meters), "One price for each meter."),
        (
            "usage",
            all(_is_rate(u.unit_amount) and _is_rate(u.included) for u in terms.usage),
            "Prices and included units are not negative and have at most 12 decimals.",
        ),
        (
            "usage",
            all(u.model == UsageModel.ALLOWANCE or not u.included for u in terms.usage),
            "Only the allowance model includes units.",
        ),
    ]
    faults: dict[str, list[str]] = {}
    for name, is_sound, sentence in checks:
        if not is_sound:
            faults.setdefault(name, []).append(sentence)
    return list(faults.items())


def _is_rate(value: Decimal) -> bool:
    if not value.is_finite() or value < 0:
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= MAX_DECIMALS
