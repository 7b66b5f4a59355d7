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
from plans.terms import PlanTerms, UsageModel, UsageTerms


@dataclass(frozen=True, slots=True)
class Rated:
    """What a quantity costs.

    :param quantity: the units charged, exact; what is left after the allowance.
    :param unit_amount: the rate for one of them.
    :param included: the allowance that was free, exact; None where the model has none.
    :param explanation: the calculation as a person would write it.
    """

    amount: Money
    quantity: Fraction
    unit_amount: Decimal
    explanation: str
    included: Fraction | None = None


def recurring(terms: PlanTerms, *, quantity: int, share: Share) -> Rated:
    """The base charge of a period: price × quantity × share."""
    exact = Fraction(terms.amount) * quantity * share.fraction
    amount = round_minor(exact, terms.currency)
    factors = [rate(terms.amount, exponent(terms.currency))]
    if terms.quantity_unit is not None:
        factors.append(f"{quantity} {terms.quantity_unit}")
    if not share.is_whole:
        factors.append(str(share))
    arithmetic = f"{' × '.join(factors)} = {amount}"
    return Rated(
        amount=amount,
        quantity=Fraction(quantity),
        unit_amount=terms.amount,
        explanation=arithmetic if len(factors) > 1 else f"{amount} for the whole period",
    )


def allowance(price: UsageTerms, share: Share) -> Fraction | None:
    """The units that are free in a period, shrunk with a short one; None without an allowance."""
    if price.model != UsageModel.ALLOWANCE:
        return None
    return Fraction(price.included) * share.fraction


def usage(price: UsageTerms, *, used: Decimal, share: Share, currency: str) -> Rated:
    """What a meter's total costs in a period.

    :param used: the period's total, in the meter's unit.
    """
    return _MODELS[price.model](price, used, share, currency)


def item(*, quantity: Decimal, unit_amount: Decimal, currency: str) -> Rated:
    """Quantity × unit amount, rounded once."""
    amount = round_minor(Fraction(quantity) * Fraction(unit_amount), currency)
    explanation = f"{figure(quantity)} × {rate(unit_amount, exponent(currency))} = {amount}"
    return Rated(amount, Fraction(quantity), unit_amount, explanation)


def _allowance(price: UsageTerms, used: Decimal, share: Share, currency: str) -> Rated:
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


def _per_unit(price: UsageTerms, used: Decimal, _share: Share, currency: str) -> Rated:
    return item(quantity=used, unit_amount=price.unit_amount, currency=currency)


_MODELS: Final[dict[UsageModel, Callable[[UsageTerms, Decimal, Share, str], Rated]]] = {
    UsageModel.ALLOWANCE: _allowance,
    UsageModel.PER_UNIT: _per_unit,
}
