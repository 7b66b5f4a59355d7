"""Price × quantity → amount, with the sentence that says how it came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.core.figures import figure, plain, rate
from billing.core.money import Money, exponent, round_minor
from billing.core.proration import Share
from plans.prices import WITH_FREE_UNITS, Price, Tier, UsageModel
from plans.terms import PlanTerms


@dataclass(frozen=True, slots=True)
class TierShare:
    """What one tier contributed: `units` at its unit amount, and its flat amount."""

    tier: Tier
    units: Fraction

    @property
    def charged(self) -> Fraction:
        """What the unit amount is due for: the units, or the packages of them begun."""
        size = self.tier.package_size
        return self.units if size is None else Fraction(-(-self.units // Fraction(size)))

    @property
    def exact(self) -> Fraction:
        """Its part of the sum, in major units, not rounded."""
        return self.charged * Fraction(self.tier.unit_amount) + Fraction(self.tier.flat_amount)

    def to_json(self) -> dict[str, str | None]:
        """What an invoice keeps of it; nothing of it is rounded."""
        tier = self.tier
        return {
            "up_to": None if tier.up_to is None else plain(tier.up_to),
            "quantity": figure(self.units),
            "unit_amount": plain(tier.unit_amount),
            "flat_amount": plain(tier.flat_amount),
            "package_size": None if tier.package_size is None else plain(tier.package_size),
            "amount": figure(self.exact),
        }


@dataclass(frozen=True, slots=True)
class Rated:
    """What a quantity costs.

    :param quantity: the units charged, exact; what is left after the allowance, or packages.
    :param unit_amount: the rate for one of them; None where tiers say it.
    :param included: the allowance that was free, exact; None where the model has none.
    :param explanation: the calculation as a person would write it.
    """

    amount: Money
    quantity: Fraction
    unit_amount: Decimal | None
    explanation: str
    included: Fraction | None = None
    tiers: tuple[TierShare, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cost:
    """A price before its one rounding; `arithmetic` is the left side of the equation."""

    exact: Fraction
    quantity: Fraction
    arithmetic: str
    unit_amount: Decimal | None = None
    tiers: tuple[TierShare, ...] = ()


def base(terms: PlanTerms, quantity: int) -> Fraction:
    """The recurring charge of a whole period, exact, in major units."""
    return _base(terms, quantity).exact


def recurring(terms: PlanTerms, *, quantity: int, share: Share) -> Rated:
    """The base charge of a period: the quantity's price × share."""
    cost = _base(terms, quantity)
    amount = round_minor(cost.exact * share.fraction, terms.currency)
    arithmetic = cost.arithmetic
    if not share.is_whole:
        inner = f"({arithmetic})" if " + " in arithmetic else arithmetic
        arithmetic = f"{inner} × {share}"
    is_plain = share.is_whole and " " not in arithmetic
    explanation = f"{amount} for the whole period" if is_plain else f"{arithmetic} = {amount}"
    return Rated(amount, cost.quantity, cost.unit_amount, explanation, tiers=cost.tiers)


def allowance(price: Price, share: Share) -> Fraction | None:
    """The units that are free in a period, shrunk with a short one; None where none can be."""
    has_some = price.model == UsageModel.ALLOWANCE or price.included
    if price.model not in WITH_FREE_UNITS or not has_some:
        return None
    return Fraction(price.included) * share.fraction


def usage(price: Price, *, used: Decimal, share: Share, currency: str) -> Rated:
    """What a meter's total costs in a period.

    :param used: the period's total, in the meter's unit.
    """
    places = exponent(currency)
    included = allowance(price, share)
    if included is None:
        return _rounded(_MODELS[price.model](price, Fraction(used), places), currency)
    above = max(Fraction(used) - included, Fraction(0))
    prorated = "" if share.is_whole else f" ({figure(price.included)} × {share})"
    if not above:
        words = f"{figure(used)} used of {figure(included)} included{prorated}"
        zero = Money.zero(currency)
        return Rated(zero, above, _unit_amount(price), words, included)
    rated = _rounded(_MODELS[price.model](price, above, places), currency)
    left = f"{figure(used)} used − {figure(included)} included{prorated} = "
    return replace(rated, included=included, explanation=left + rated.explanation)


def item(*, quantity: Decimal, unit_amount: Decimal, currency: str) -> Rated:
    """Quantity × unit amount, rounded once."""
    price = Price(UsageModel.PER_UNIT, unit_amount)
    return _rounded(_per_unit(price, Fraction(quantity), exponent(currency)), currency)


def true_up(minimum: Decimal, *, charged: Money, share: Share) -> Rated | None:
    """What is missing to the least total of a period; None where nothing is.

    :param minimum: for a whole period; it shrinks with a short one.
    :param charged: the period's other lines together.
    """
    least = round_minor(Fraction(minimum) * share.fraction, charged.currency)
    missing = least - charged
    if missing.minor <= 0:
        return None
    floor = f"{rate(minimum, exponent(charged.currency))} least"
    if not share.is_whole:
        floor += f" × {share} = {least.major:f}"
    explanation = f"{floor} − {charged.major:f} charged = {missing}"
    return Rated(missing, Fraction(1), missing.major, explanation)


def _base(terms: PlanTerms, quantity: int) -> _Cost:
    """The amount, for each unit where a unit is sold, or once beside what the units cost."""
    places = exponent(terms.currency)
    arithmetic = rate(terms.amount, places)
    if terms.quantity_pricing is not None:
        pricing = terms.quantity_pricing
        units = _MODELS[pricing.model](pricing, Fraction(quantity), places)
        if not terms.amount:
            return units
        return replace(
            units,
            exact=Fraction(terms.amount) + units.exact,
            arithmetic=f"{arithmetic} + {units.arithmetic}",
            unit_amount=None,
        )
    if terms.quantity_unit is None:
        return _Cost(Fraction(terms.amount), Fraction(1), arithmetic, terms.amount)
    arithmetic += f" × {quantity} {terms.quantity_unit}"
    return _Cost(Fraction(terms.amount) * quantity, Fraction(quantity), arithmetic, terms.amount)


def _rounded(cost: _Cost, currency: str) -> Rated:
    amount = round_minor(cost.exact, currency)
    return Rated(
        amount,
        cost.quantity,
        cost.unit_amount,
        f"{cost.arithmetic} = {amount}",
        tiers=cost.tiers,
    )


def _per_unit(price: Price, used: Fraction, places: int) -> _Cost:
    return _Cost(
        used * Fraction(price.unit_amount),
        used,
        f"{figure(used)} × {rate(price.unit_amount, places)}",
        price.unit_amount,
    )


def _package(price: Price, used: Fraction, places: int) -> _Cost:
    size = price.package_size or Decimal(1)
    packages = -(-used // Fraction(size))
    arithmetic = (
        f"{figure(used)} in packages of {figure(size)} = {packages}"
        f" × {rate(price.unit_amount, places)}"
    )
    return _Cost(
        packages * Fraction(price.unit_amount), Fraction(packages), arithmetic, price.unit_amount
    )


def _percentage(price: Price, used: Fraction, _places: int) -> _Cost:
    percent = price.percent or Decimal(0)
    return _Cost(
        used * Fraction(percent) / 100,
        used,
        f"{figure(used)} × {plain(percent)} %",
        _unit_amount(price),
    )


def _unit_amount(price: Price) -> Decimal:
    """What one unit costs; of a percentage, what one unit of money does."""
    return price.unit_amount if price.percent is None else price.percent / 100


def _graduated(price: Price, used: Fraction, places: int) -> _Cost:
    """The units of each tier at its price, and the flat amount of each tier that is reached."""
    shares: list[TierShare] = []
    reached = Fraction(0)
    for tier in price.tiers:
        if shares and used <= reached:
            break
        bound = used if tier.up_to is None else min(used, Fraction(tier.up_to))
        shares.append(TierShare(tier, bound - reached))
        reached = bound if tier.up_to is None else Fraction(tier.up_to)
    return _tiered(shares, used, places)


def _volume(price: Price, used: Fraction, places: int) -> _Cost:
    """All units at the price of the one tier that the total is in."""
    chosen = next(
        tier for tier in price.tiers if tier.up_to is None or used <= Fraction(tier.up_to)
    )
    return _tiered([TierShare(chosen, used)], used, places)


def _tiered(shares: list[TierShare], used: Fraction, places: int) -> _Cost:
    terms = []
    for share in shares:
        terms.append(f"{_counted(share)} × {rate(share.tier.unit_amount, places)}")
        if share.tier.flat_amount:
            terms.append(f"{rate(share.tier.flat_amount, places)} flat")
    exact = sum((share.exact for share in shares), Fraction(0))
    return _Cost(exact, used, " + ".join(terms), tiers=tuple(shares))


def _counted(share: TierShare) -> str:
    if share.tier.package_size is None:
        return figure(share.units)
    packages = f"in packages of {figure(share.tier.package_size)} = {figure(share.charged)}"
    return f"{figure(share.units)} {packages}"


_MODELS: Final[dict[UsageModel, Callable[[Price, Fraction, int], _Cost]]] = {
    UsageModel.ALLOWANCE: _per_unit,
    UsageModel.PER_UNIT: _per_unit,
    UsageModel.GRADUATED: _graduated,
    UsageModel.VOLUME: _volume,
    UsageModel.PACKAGE: _package,
    UsageModel.PERCENTAGE: _percentage,
}
