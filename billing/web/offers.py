"""Plans in the words of a price list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from billing.core.wording import component_name, price_in_words
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
    trial_needs_card: bool


def offers(catalogue: Catalogue) -> list[Offer]:
    """All that is on sale."""
    return [_offer(plan, catalogue.meters) for plan in catalogue.plans]


def summary(offer: Offer) -> str:
    """`Premium, $180.00 a month: 400 API calls included, then $1.80 each`."""
    usage = "; ".join(offer.usage)
    return f"{offer.plan.name}, {offer.price} {offer.per}{f': {usage}' if usage else ''}"


def per(terms: PlanTerms) -> str:
    """`a month`, `per seat, every 3 months`."""
    every = _every(terms)
    # Beside an amount that is due once, what a unit costs is told in a sentence of its own.
    is_due_once = terms.quantity_unit is None or _has_both(terms)
    return every if is_due_once else f"per {terms.quantity_unit}, {every}"


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
    return Offer(
        plan=plan,
        price=_price(terms),
        per=per(terms),
        usage=[*_quantity(terms), *(_usage(usage, terms, meters) for usage in terms.usage)],
        extras=[*limits, *_conditions(terms), *features],
        trial_days=terms.trial_days,
        trial_needs_card=terms.trial_needs_method,
    )


def _has_both(terms: PlanTerms) -> bool:
    """Whether there is an amount that is due once beside the price of the quantity."""
    return terms.quantity_pricing is not None and bool(terms.amount)


def _price(terms: PlanTerms) -> str:
    if terms.quantity_pricing is None or _has_both(terms):
        return rate(terms.amount, terms.currency)
    return price_in_words(terms.quantity_pricing, lambda value: rate(value, terms.currency))


def _quantity(terms: PlanTerms) -> Iterator[str]:
    if terms.quantity_pricing is not None and _has_both(terms):
        words = price_in_words(terms.quantity_pricing, lambda value: rate(value, terms.currency))
        yield f"plus per {terms.quantity_unit}: {words}"


def _usage(usage: UsageTerms, terms: PlanTerms, meters: Mapping[str, Meter]) -> str:
    name = component_name(usage, terms, meter=counted(meters.get(usage.meter), usage.meter))
    return price_in_words(usage.price, lambda value: rate(value, terms.currency), unit=name)


def _conditions(terms: PlanTerms) -> Iterator[str]:
    if terms.minimum_quantity > 1:
        yield f"From {terms.minimum_quantity} × {terms.quantity_unit} on"
    if terms.minimum:
        yield f"At least {rate(terms.minimum, terms.currency)} {_every(terms)}"
    if terms.is_in_advance and not terms.is_free:
        yield "Billed in advance" + ("; usage afterwards" if terms.usage else "")
