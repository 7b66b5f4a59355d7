"""Prices in words, the same wherever people read them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from billing.core.figures import figure
from plans.terms import Price, Tier, UsageModel

Show = Callable[[Decimal], str]


def price_in_words(price: Price, show: Show, *, unit: str = "") -> str:
    """What a price says: `400 API calls included, then $1.80 each`.

    :param show: writes a rate as money.
    :param unit: what is counted, where the sentence shall name it.
    """
    if price.model == UsageModel.ALLOWANCE:
        return f"{_count(price.included, unit)} included, then {show(price.unit_amount)} each"
    if price.model == UsageModel.PACKAGE:
        return f"{show(price.unit_amount)} for each {_count(price.package_size, unit)} begun"
    named = f"{unit}: " if unit else ""
    if price.model == UsageModel.PER_UNIT:
        return f"{named}{show(price.unit_amount)} each"
    steps = "; ".join(_tier(tier, show) for tier in price.tiers)
    return f"{named}{'all of them at ' if price.model == UsageModel.VOLUME else ''}{steps}"


def _count(quantity: Decimal | None, unit: str) -> str:
    return f"{figure(quantity or 0)} {unit}".strip()


def _tier(tier: Tier, show: Show) -> str:
    bound = "above" if tier.up_to is None else f"up to {figure(tier.up_to)}"
    flat = f" and {show(tier.flat_amount)}" if tier.flat_amount else ""
    return f"{bound} {show(tier.unit_amount)} each{flat}"
