"""A plan's terms as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing.core.figures import rate
from billing.core.money import exponent
from billing.core.wording import component_name, price_in_words
from plans.prices import Price
from plans.terms import (
    Alignment,
    ChangeCharge,
    ChangePolicy,
    ChangeTime,
    PlanTerms,
    Proration,
    TrialUsage,
)

_PRORATION: Final = {
    Proration.DAY: "by the day",
    Proration.SECOND: "by the second",
    Proration.FIXED_30: "by thirtieths of a month",
    Proration.NONE: "not at all",
}


_CHARGE: Final = {
    ChangeCharge.PRORATE: "the unused part is credited and the rest charged",
    ChangeCharge.FULL: "nothing is credited and the new price is due whole",
    ChangeCharge.RESET: "the unused part is credited and a new period begins",
    ChangeCharge.NONE: "the new price holds from the next period",
}


def price(terms: PlanTerms) -> str:
    """`180.00 USD per month`."""
    show = _rate(terms.currency)
    once = f"{show(terms.amount)} {_every(terms)}"
    if terms.quantity_pricing is not None:
        words = f"per {terms.quantity_unit}: {price_in_words(terms.quantity_pricing, show)}"
        return f"{once}, and {words}" if terms.amount else f"{words}, {_every(terms)}"
    unit = f" per {terms.quantity_unit}" if terms.quantity_unit else ""
    return f"{show(terms.amount)}{unit} {_every(terms)}"


def usage_price(price: Price, currency: str) -> str:
    """`400 included, then 1.80 USD each`."""
    return price_in_words(price, _rate(currency))


def sentences(terms: PlanTerms) -> Iterator[str]:
    """Everything the terms say, one thing at a time."""
    yield price(terms)
    show = _rate(terms.currency)
    for usage in terms.usage:
        yield price_in_words(
            usage.price, show, unit=component_name(usage, terms, meter=usage.meter)
        )
    if terms.minimum_quantity > 1:
        yield f"At least {terms.minimum_quantity} × {terms.quantity_unit}"
    if terms.minimum is not None:
        yield f"At least {show(terms.minimum)} in each period"
    yield from _times(terms)
    yield from _changes(terms)
    yield from (f"Feature {name}: {value}" for name, value in terms.features.items())
    yield from (f"Limit {name}: {value}" for name, value in terms.limits.items())


def _times(terms: PlanTerms) -> Iterator[str]:
    """What is billed when."""
    if terms.is_in_advance:
        yield "Billed in advance, usage afterwards" if terms.usage else "Billed in advance"
    else:
        yield "Billed when a period is over"
    if terms.trial_days:
        card = ", a card needed" if terms.trial_needs_method else ""
        usage = ", usage charged afterwards" if terms.trial_usage == TrialUsage.COUNTED else ""
        yield f"{terms.trial_days} days of trial{card}{usage}"
    yield (
        "Periods end with the calendar"
        if terms.alignment == Alignment.CALENDAR
        else "Periods are counted from the start"
    )
    first_day = "" if terms.first_day_counts else ", the first day not counted"
    yield f"A short period is prorated {_PRORATION[terms.proration]}{first_day}"


def _changes(terms: PlanTerms) -> Iterator[str]:
    if terms.upgrade == terms.downgrade:
        yield f"Changes: {_policy(terms.upgrade)}"
        return
    yield f"Upgrades: {_policy(terms.upgrade)}"
    yield f"Downgrades: {_policy(terms.downgrade)}"


def _policy(policy: ChangePolicy) -> str:
    if policy.when == ChangeTime.PERIOD_END:
        return "at the end of the period"
    return f"at once, {_CHARGE[policy.charge]}"


def paragraph(terms: PlanTerms) -> SafeString:
    """The sentences, one beneath the other."""
    return format_html_join("", "<div>{}</div>", ((text,) for text in sentences(terms)))


def _every(terms: PlanTerms) -> str:
    interval = terms.interval.lower()
    if terms.interval_count == 1:
        return f"per {interval}"
    return f"every {terms.interval_count} {interval}s"


def _rate(currency: str) -> Callable[[Decimal], str]:
    return lambda value: f"{rate(value, exponent(currency))} {currency}"
