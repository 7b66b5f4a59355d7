"""The terms of a plan as one frozen value: what a subscription is billed by.

Standard library only. A plan's version stores these terms as JSON and never changes them;
`billing.core` says what they cost. Numbers are rates in major units (`Decimal`), never amounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import product
from typing import Any, Final, Self

from plans import prices
from plans.prices import TIERED, Price, UsageModel


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


class Billed(StrEnum):
    """When the recurring charge of a period is billed; usage always is when it is over."""

    IN_ADVANCE = "IN_ADVANCE"
    IN_ARREARS = "IN_ARREARS"


class Proration(StrEnum):
    """By what a short period is measured.

    DAY: whole local days of the real period. SECOND: seconds of it. FIXED_30: every month counts
    30 days. NONE: a short period costs as much as a whole one.
    """

    DAY = "DAY"
    SECOND = "SECOND"
    FIXED_30 = "FIXED_30"
    NONE = "NONE"


class TrialUsage(StrEnum):
    """Whether what is used in a trial is charged afterwards."""

    FREE = "FREE"
    COUNTED = "COUNTED"


class ChangeTime(StrEnum):
    """When a change takes effect, where its request does not say."""

    NOW = "NOW"
    PERIOD_END = "PERIOD_END"


class ChangeCharge(StrEnum):
    """What a change in mid-period costs.

    PRORATE: the unused part is credited, the rest of the period charged at the new price.
    FULL: nothing is credited, and the new price is due whole. RESET: the unused part is credited,
    and a new whole period begins. NONE: neither; the new price holds from the next period.
    """

    PRORATE = "PRORATE"
    FULL = "FULL"
    RESET = "RESET"
    NONE = "NONE"


MAX_INTERVAL_COUNT: Final = 60
MAX_TRIAL_DAYS: Final = 3650
MAX_QUANTITY: Final = 1_000_000
_MAX_FILTERS: Final = 100


class InvalidTermsError(ValueError):
    """Terms that make no sense: which field, and what is wrong with it."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(text)}" for name, text in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class UsageTerms:
    """The price of what one meter counts, or of the events among it that a filter lets through.

    An event counts in the first component of its meter whose filter fits it, in the plan's
    order; in the one without a filter if none does.

    :param only: property → the values it may have; empty for no filter.
    """

    meter: str
    price: Price
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def component(self) -> str:
        """Its name within the plan: `tokens`, or `tokens[model=large]`."""
        if not self.only:
            return self.meter
        chosen = ",".join(f"{name}={'|'.join(self.only[name])}" for name in sorted(self.only))
        return f"{self.meter}[{chosen}]"

    @property
    def combinations(self) -> list[dict[str, str]]:
        """Every set of properties that the filter lets through; one of them must fit."""
        names = list(self.only)
        return [
            dict(zip(names, values, strict=True))
            for values in product(*(self.only[name] for name in names))
        ]

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON shape."""
        only = {name: list(values) for name, values in self.only.items()}
        return {"meter": self.meter, "only": only, **self.price.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what `to_json` wrote, now or before there were filters."""
        only = {name: tuple(values) for name, values in stored.get("only", {}).items()}
        return cls(stored["meter"], Price.from_json(stored), only)


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    """When a change takes effect and what it costs, where its request does not say."""

    when: ChangeTime = ChangeTime.NOW
    charge: ChangeCharge = ChangeCharge.PRORATE

    def to_json(self) -> dict[str, str]:
        """The canonical JSON shape."""
        return {"when": self.when.value, "charge": self.charge.value}

    @classmethod
    def from_json(cls, stored: Mapping[str, str]) -> Self:
        """Read back what `to_json` wrote."""
        return cls(ChangeTime(stored["when"]), ChangeCharge(stored["charge"]))


UPGRADE: Final = ChangePolicy()
DOWNGRADE: Final = ChangePolicy(ChangeTime.PERIOD_END)


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """Everything a subscription is billed by.

    `amount` is the recurring charge per interval, per unit of quantity where `quantity_unit` is
    set; with `quantity_pricing` it is due once, and the quantity is priced by that. `minimum` is
    the least total of a period. `tax_class` says which of a place's rates of tax it bears; with
    `is_tax_included` every price has the tax in it. With `is_prepaid`, usage draws credit down as
    it happens, and ends where there is none. `first_day_counts=False` is seed 003's formula: days
    left = last day - start day.

    :raises InvalidTermsError: naming every field at fault.
    """

    currency: str
    amount: Decimal
    interval: Interval = Interval.MONTH
    interval_count: int = 1
    alignment: Alignment = Alignment.ANNIVERSARY
    billed: Billed = Billed.IN_ARREARS
    trial_days: int = 0
    trial_usage: TrialUsage = TrialUsage.FREE
    trial_needs_method: bool = False
    quantity_unit: str | None = None
    quantity_pricing: Price | None = None
    minimum_quantity: int = 1
    minimum: Decimal | None = None
    usage: tuple[UsageTerms, ...] = ()
    proration: Proration = Proration.DAY
    first_day_counts: bool = True
    upgrade: ChangePolicy = UPGRADE
    downgrade: ChangePolicy = DOWNGRADE
    tax_class: str = "standard"
    is_tax_included: bool = False
    is_prepaid: bool = False
    features: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        errors = _faults(self)
        if errors:
            raise InvalidTermsError(errors)

    @property
    def meters(self) -> tuple[str, ...]:
        """The codes of the meters these terms price, each once, in order."""
        return tuple(dict.fromkeys(usage.meter for usage in self.usage))

    @property
    def counted(self) -> tuple[str, ...]:
        """The codes of everything that is counted: what is priced, and what has a limit."""
        return tuple(dict.fromkeys([*self.meters, *self.limits]))

    @property
    def filters(self) -> list[dict[str, Any]]:
        """Which properties lead an event to which component, in the order they are tried."""
        return [
            {"meter": usage.meter, "component": usage.component, "only": combination}
            for usage in self.usage
            if usage.only
            for combination in usage.combinations
        ]

    @property
    def is_in_advance(self) -> bool:
        """Whether the recurring charge is billed when its period begins."""
        return self.billed == Billed.IN_ADVANCE

    @property
    def is_free(self) -> bool:
        """Whether nothing can ever be due."""
        priced = [usage.price for usage in self.usage]
        if self.quantity_pricing is not None:
            priced.append(self.quantity_pricing)
        return not self.amount and not self.minimum and all(price.is_free for price in priced)

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON shape; decimals as strings, so that nothing is lost."""
        pricing = self.quantity_pricing
        return {
            "currency": self.currency,
            "amount": str(self.amount),
            "interval": self.interval.value,
            "interval_count": self.interval_count,
            "alignment": self.alignment.value,
            "billed": self.billed.value,
            "trial_days": self.trial_days,
            "trial_usage": self.trial_usage.value,
            "trial_needs_method": self.trial_needs_method,
            "quantity_unit": self.quantity_unit,
            "quantity_pricing": None if pricing is None else pricing.to_json(),
            "minimum_quantity": self.minimum_quantity,
            "minimum": None if self.minimum is None else str(self.minimum),
            "usage": [usage.to_json() for usage in self.usage],
            "proration": self.proration.value,
            "first_day_counts": self.first_day_counts,
            "upgrade": self.upgrade.to_json(),
            "downgrade": self.downgrade.to_json(),
            "tax_class": self.tax_class,
            "is_tax_included": self.is_tax_included,
            "is_prepaid": self.is_prepaid,
            "features": dict(self.features),
            "limits": dict(self.limits),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what `to_json` wrote; what older terms do not say is as it was then."""
        said = stored.keys() | _REQUIRED
        read = {name: parse(stored[name]) for name, parse in _PARSERS.items() if name in said}
        return cls(**read)


_REQUIRED: Final = frozenset({"currency", "amount"})


def _or_none(parse: Any) -> Any:
    return lambda stored: None if stored is None else parse(stored)


_PARSERS: Final[dict[str, Any]] = {
    "currency": str,
    "amount": Decimal,
    "interval": Interval,
    "interval_count": int,
    "alignment": Alignment,
    "billed": Billed,
    "trial_days": int,
    "trial_usage": TrialUsage,
    "trial_needs_method": bool,
    "quantity_unit": _or_none(str),
    "quantity_pricing": _or_none(Price.from_json),
    "minimum_quantity": int,
    "minimum": _or_none(Decimal),
    "usage": lambda stored: tuple(UsageTerms.from_json(usage) for usage in stored),
    "proration": Proration,
    "first_day_counts": bool,
    "upgrade": ChangePolicy.from_json,
    "downgrade": ChangePolicy.from_json,
    "tax_class": str,
    "is_tax_included": bool,
    "is_prepaid": bool,
    "features": dict,
    "limits": dict,
}


def _faults(terms: PlanTerms) -> dict[str, list[str]]:
    """Each field at fault with its sentences."""
    components = [usage.component for usage in terms.usage]
    checks = [
        ("currency", len(terms.currency) == 3 and terms.currency.isupper(), "An ISO 4217 code."),
        ("amount", prices.is_rate(terms.amount), "Not negative, and at most 12 decimals."),
        ("interval_count", 1 <= terms.interval_count <= MAX_INTERVAL_COUNT, "From 1 to 60."),
        ("trial_days", 0 <= terms.trial_days <= MAX_TRIAL_DAYS, "From 0 to 3650."),
        (
            "usage",
            len(set(components)) == len(components),
            "One price for each meter and filter.",
        ),
        (
            "minimum",
            terms.minimum is None or prices.is_rate(terms.minimum),
            "Not negative, and at most 12 decimals.",
        ),
        ("tax_class", 1 <= len(terms.tax_class) <= 32, "From 1 to 32 characters."),
        (
            "minimum_quantity",
            1 <= terms.minimum_quantity <= (MAX_QUANTITY if terms.quantity_unit else 1),
            "From 1 to 1000000; it needs a quantity_unit.",
        ),
    ]
    faults: dict[str, list[str]] = {}
    for name, is_sound, sentence in checks:
        if not is_sound:
            faults.setdefault(name, []).append(sentence)
    for usage in terms.usage:
        if sentences := prices.faults(usage.price) + _filter_faults(usage):
            faults.setdefault("usage", []).extend(sentences)
    if sentences := _quantity_faults(terms):
        faults["quantity_pricing"] = sentences
    return faults


def _filter_faults(usage: UsageTerms) -> list[str]:
    values = [value for chosen in usage.only.values() for value in chosen]
    is_sound = all(usage.only.values()) and all(usage.only) and all(values)
    if is_sound and len(usage.component) <= 255 and len(usage.combinations) <= _MAX_FILTERS:
        return []
    return ["A filter names properties with the values they may have, 100 combinations at most."]


def _quantity_faults(terms: PlanTerms) -> list[str]:
    pricing = terms.quantity_pricing
    if pricing is None:
        return []
    sentences = prices.faults(pricing)
    if pricing.model not in TIERED | {UsageModel.PACKAGE}:
        sentences.append("A quantity is priced as graduated, volume or package.")
    if terms.quantity_unit is None:
        sentences.append("It needs a quantity_unit.")
    return sentences
