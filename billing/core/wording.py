"""Prices in words, the same wherever people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from billing.core.figures import figure, plain
from plans.prices import TIERED, Price, Tier, UsageModel
from plans.terms import PlanTerms, UsageTerms

Show = Callable[[Decimal], str]


def price_in_words(price: Price, show: Show, *, unit: str = "") -> str:
    """What a price says: `400 API calls included, then $1.80 each`.

    :param show: writes a rate as money.
    :param unit: what is counted, where the sentence shall name it.
    """
    if price.model == UsageModel.PERCENTAGE:
        return _percentage(price, show, unit)
    if price.model in TIERED:
        steps = _volume if price.model == UsageModel.VOLUME else _graduated
        return _named(unit, steps(price.tiers, show))
    if price.included or price.model == UsageModel.ALLOWANCE:
        free = f"{figure(price.included)} {unit}".strip()
        return f"{free} included, then {_each(price.unit_amount, price.package_size, show)}"
    if price.package_size is not None:
        return _each(price.unit_amount, price.package_size, show, unit=unit)
    return _named(unit, _each(price.unit_amount, None, show))


def only_in_words(only: Mapping[str, Sequence[str]]) -> str:
    """What a filter lets through: `region eu, model large or xl`; empty without one."""
    return ", ".join(f"{name} {' or '.join(values)}" for name, values in only.items())


def component_name(usage: UsageTerms, terms: PlanTerms, *, meter: str) -> str:
    """What a component counts: `tokens (model large)`, and `other tokens` for the rest of them.

    :param meter: what people call its meter.
    """
    if usage.only:
        return f"{meter} ({only_in_words(usage.only)})"
    has_others = any(other.only for other in terms.usage if other.meter == usage.meter)
    return f"other {meter}" if has_others else meter


def _named(unit: str, words: str) -> str:
    return f"{unit}: {words}" if unit else words


def _percentage(price: Price, show: Show, unit: str) -> str:
    words = f"{plain(price.percent or Decimal(0))} % of {unit or 'the amount'}"
    return f"{words} above {show(price.included)}" if price.included else words


def _each(amount: Decimal, size: Decimal | None, show: Show, *, unit: str = "") -> str:
    if size is None:
        return f"{show(amount)} each"
    return f"{show(amount)} for each {f'{figure(size)} {unit}'.strip()} begun"


def _graduated(tiers: Sequence[Tier], show: Show) -> str:
    """`$2.00 each up to 100 (plus $5.00), then $1.50 each`."""
    *steps, last = tiers
    words = [f"{_rate(tier, show)} up to {_bound(tier)}{_flat(tier, show)}" for tier in steps]
    rest = f"{_rate(last, show)}{_flat(last, show)}"
    return ", ".join([*words, f"then {rest}" if steps else rest])


def _volume(tiers: Sequence[Tier], show: Show) -> str:
    """`all at $2.00 each up to 100 (plus $5.00), all at $1.50 each above`."""
    *steps, last = tiers
    words = [f"{_all(tier, show)} up to {_bound(tier)}{_flat(tier, show)}" for tier in steps]
    above = " above" if steps else ""
    return ", ".join([*words, f"{_all(last, show)}{above}{_flat(last, show)}"])


def _all(tier: Tier, show: Show) -> str:
    if tier.unit_amount:
        return f"all at {_rate(tier, show)}"
    return _rate(tier, show) if tier.flat_amount else "all free"


def _rate(tier: Tier, show: Show) -> str:
    """The tier's price; where there is only a flat amount, that."""
    if tier.unit_amount:
        return _each(tier.unit_amount, tier.package_size, show)
    return f"{show(tier.flat_amount)} flat" if tier.flat_amount else "free"


def _flat(tier: Tier, show: Show) -> str:
    """The flat amount beside a price per unit."""
    if not (tier.flat_amount and tier.unit_amount):
        return ""
    return f" (plus {show(tier.flat_amount)})"


def _bound(tier: Tier) -> str:
    return figure(tier.up_to or 0)
