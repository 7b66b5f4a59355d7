"""Price × quantity → amount, with the sentence that says how it came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.core.figures import figure, rate
from billing.core.money import Money, exponent, round_minor
from billing.core.proration import Share
from plans.terms import PlanTerms, Price, Tier, UsageModel


@dataclass(frozen=True, slots=True)
class TierShare:
    """What one tier contributed: `units` at its unit amount, and its flat amount."""

    tier: Tier
    units: Fraction

    @property
    def exact(self) -> Fraction:
        """Its part of the sum, in major units, not rounded."""
        return self.units * Fraction(self.tier.unit_amount) + Fraction(self.tier.flat_amount)


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
    """The units that are free in a period, shrunk with a short one; None without an allowance."""
    if price.model != UsageModel.ALLOWANCE:
        return None
    return Fraction(price.included) * share.fraction


def usage(price: Price, *, used: Decimal, share: Share, currency: str) -> Rated:
    """What a meter's total costs in a period.

    :param used: the period's total, in the meter's unit.
    """
    if price.model == UsageModel.ALLOWANCE:
        return _allowance(price, used, share, currency)
    return _rounded(_MODELS[price.model](price, Fraction(used), exponent(currency)), currency)


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
    places = exponent(terms.currency)
    if terms.quantity_pricing is not None:
        pricing = terms.quantity_pricing
        return _MODELS[pricing.model](pricing, Fraction(quantity), places)
    arithmetic = rate(terms.amount, places)
    if terms.quantity_unit is not None:
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


def _allowance(price: Price, used: Decimal, share: Share, currency: str) -> Rated:
    included = Fraction(price.included) * share.fraction
    above = max(Fraction(used) - included, Fraction(0))
    amount = round_minor(above * Fraction(price.unit_amount), currency)
    prorated = "" if share.is_whole else f" ({figure(price.included)} × {share})"
    if above:
        arithmetic = (
            f"{figure(used)} used − {figure(included)} included{prorated} = {figure(above)}"
            f" × {rate(price.unit_amount, exponent(currency))} = {amount}"
        )
    else:
        arithmetic = f"{figure(used)} used of {figure(included)} included{prorated}"
    return Rated(amount, above, price.unit_amount, arithmetic, included)


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
        terms.append(f"{figure(share.units)} × {rate(share.tier.unit_amount, places)}")
        if share.tier.flat_amount:
            terms.append(f"{rate(share.tier.flat_amount, places)} flat")
    exact = sum((share.exact for share in shares), Fraction(0))
    return _Cost(exact, used, " + ".join(terms), tiers=tuple(shares))


_MODELS: Final[dict[UsageModel, Callable[[Price, Fraction, int], _Cost]]] = {
    UsageModel.PER_UNIT: _per_unit,
    UsageModel.GRADUATED: _graduated,
    UsageModel.VOLUME: _volume,
    UsageModel.PACKAGE: _package,
}
