"""Plans in the words of a price list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billing.core.wording import price_in_words
from billing.queries.catalogue import Catalogue
from billing.templatetags.money import rate
from plans.models import Meter, Plan
from plans.terms import PlanTerms, UsageTerms


@dataclass(frozen=True, slots=True)
class Offer:
    """A card of the price list."""

    plan: Plan
    price: str
    per: str
    usage: Sequence[str]
    extras: Sequence[str]
    trial_days: int


def offers(catalogue: Catalogue) -> list[Offer]:
    """All that is on sale."""
    return [_offer(plan, catalogue.meters) for plan in catalogue.plans]


def summary(offer: Offer) -> str:
    """`Premium, $180.00 a month: 400 API calls included, then $1.80 each`."""
    usage = "; ".join(offer.usage)
    return f"{offer.plan.name}, {offer.price} {offer.per}{f': {usage}' if usage else ''}"


def per(terms: PlanTerms) -> str:
    """`a month`, `per seat and month`, `every 3 months`."""
    every = _every(terms)
    return f"per {terms.quantity_unit}, {every}" if terms.quantity_unit else every


def _every(terms: PlanTerms) -> str:
    unit = terms.interval.value.lower()
    return f"every {terms.interval_count} {unit}s" if terms.interval_count > 1 else f"a {unit}"


def counted(meter: Meter | None, code: str) -> str:
    """What a meter counts, in the plural: `API calls`."""
    name = meter.name if meter else code
    return name.replace("_", " ")


def _offer(plan: Plan, meters: Mapping[str, Meter]) -> Offer:
    terms = plan.terms
    limits = [
        f"Up to {value} {counted(meters.get(code), code)}" for code, value in terms.limits.items()
    ]
    features = [counted(None, code).capitalize() for code, value in terms.features.items() if value]
    if terms.minimum:
        limits.append(f"At least {rate(terms.minimum, terms.currency)} {_every(terms)}")
    return Offer(
        plan=plan,
        price=_price(terms),
        per=per(terms),
        usage=[_usage(price, meters.get(price.meter), terms.currency) for price in terms.usage],
        extras=[*limits, *features],
        trial_days=terms.trial_days,
    )


def _price(terms: PlanTerms) -> str:
    if terms.quantity_pricing is None:
        return rate(terms.amount, terms.currency)
    return price_in_words(terms.quantity_pricing, lambda value: rate(value, terms.currency))


def _usage(usage: UsageTerms, meter: Meter | None, currency: str) -> str:
    return price_in_words(
        usage.price, lambda value: rate(value, currency), unit=counted(meter, usage.meter)
    )
