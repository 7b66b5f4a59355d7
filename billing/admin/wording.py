"""A plan's terms as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing.core.figures import figure, rate
from billing.core.money import exponent
from plans.terms import Alignment, PlanTerms, Proration, UsageModel, UsageTerms

_PRORATION: Final = {
    Proration.DAY: "by the day",
    Proration.SECOND: "by the second",
    Proration.FIXED_30: "by thirtieths of a month",
    Proration.NONE: "not at all",
}


def price(terms: PlanTerms) -> str:
    """`180.00 USD per month`."""
    amount = f"{rate(terms.amount, exponent(terms.currency))} {terms.currency}"
    unit = f" per {terms.quantity_unit}" if terms.quantity_unit else ""
    return f"{amount}{unit} {_every(terms)}"


def sentences(terms: PlanTerms) -> Iterator[str]:
    """Everything the terms say, one thing at a time."""
    yield price(terms)
    for usage in terms.usage:
        yield _usage(usage, terms.currency)
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


def _usage(usage: UsageTerms, currency: str) -> str:
    each = f"{rate(usage.unit_amount, exponent(currency))} {currency} each"
    if usage.model == UsageModel.ALLOWANCE:
        return f"{usage.meter}: {figure(usage.included)} included, then {each}"
    return f"{usage.meter}: {each}"
