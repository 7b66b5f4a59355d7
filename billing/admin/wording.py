"""A plan's terms as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing.core.figures import rate
from billing.core.money import exponent
from billing.core.wording import price_in_words
from plans.terms import Alignment, PlanTerms, Proration

_PRORATION: Final = {
    Proration.DAY: "by the day",
    Proration.SECOND: "by the second",
    Proration.FIXED_30: "by thirtieths of a month",
    Proration.NONE: "not at all",
}


def price(terms: PlanTerms) -> str:
    """`180.00 USD per month`."""
    show = _rate(terms.currency)
    if terms.quantity_pricing is not None:
        words = price_in_words(terms.quantity_pricing, show, unit=terms.quantity_unit or "")
        return f"{words}, {_every(terms)}"
    amount = show(terms.amount)
    unit = f" per {terms.quantity_unit}" if terms.quantity_unit else ""
    return f"{amount}{unit} {_every(terms)}"


def sentences(terms: PlanTerms) -> Iterator[str]:
    """Everything the terms say, one thing at a time."""
    yield price(terms)
    show = _rate(terms.currency)
    for usage in terms.usage:
        yield f"{usage.meter}: {price_in_words(usage.price, show)}"
    if terms.minimum is not None:
        yield f"At least {show(terms.minimum)} in each period"
    if terms.trial_days:
        yield f"{terms.trial_days} days of trial"
    yield (
        "Periods end with the calendar"
        if terms.alignment == Alignment.CALENDAR
        else "Periods are counted from the start"
    )
    first_day = "" if terms.first_day_counts else ", the first day not counted"
    yield f"A short period is prorated {_PRORATION[terms.proration]}{first_day}"
    yield from (f"Feature {name}: {value}" for name, value in terms.features.items())
    yield from (f"Limit {name}: {value}" for name, value in terms.limits.items())


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
