"""What a plan would cost, for as much of its form as can be read already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django import forms

from billing.admin import cells, wording
from billing.admin.plan_form import PlanForm
from billing.admin.price_forms import UsageForm
from billing.core import rating
from billing.core.proration import WHOLE
from billing.core.rating import Rated
from billing.core.wording import component_name
from plans.terms import Interval, InvalidTermsError, PlanTerms, UsageTerms

QUANTITIES: Final = (0, 1, 100, 10_000)
_RECURRING: Final = "Recurring charge"


@dataclass(frozen=True, slots=True)
class Row:
    """What so many cost, and how that comes about."""

    quantity: str
    amount: object
    explanation: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One price of the plan.

    :param rows: none where it cannot be read yet, for the reasons in `faults`.
    """

    title: str
    words: str = ""
    rows: Sequence[Row] = ()
    faults: Sequence[str] = ()


def sheets(form: PlanForm) -> list[Sheet]:
    """The plan's prices one by one; a form that nobody has filled in shows what is stored."""
    if not form.is_bound:
        stored = form.stored
        return [] if stored is None else list(_all(stored))
    form.full_clean()
    terms = _recurring_terms(form)
    if terms is None:
        return [Sheet(_RECURRING, faults=list(_faults(form)))]
    components = [component for _, component in form.components]
    whole = _with_usage(terms, components)
    return [_recurring(terms), *(_entered(each, whole) for each in _filled_in(form))]


def _all(terms: PlanTerms) -> Iterator[Sheet]:
    yield _recurring(terms)
    for usage in terms.usage:
        yield _usage(usage, terms)


def _filled_in(form: PlanForm) -> Iterator[UsageForm]:
    for each in form.usage.forms:
        if not each.is_left_blank and each not in form.usage.deleted_forms:
            yield each


def _entered(form: UsageForm, terms: PlanTerms) -> Sheet:
    if form.component is not None and form.is_valid():
        return _usage(form.component, terms)
    tiers = [fault for row in form.tiers.forms for fault in _faults(row)]
    return Sheet(form["meter"].value() or "Usage", faults=[*_faults(form), *tiers])


def _recurring_terms(form: PlanForm) -> PlanTerms | None:
    """As much of the terms as the recurring charge takes; None if that cannot be read yet."""
    entered = form.cleaned_data
    if not {"currency", "amount", "interval", "interval_count"} <= entered.keys():
        return None
    if not form.quantity.is_valid() or "amount" in form.errors:
        return None
    try:
        return PlanTerms(
            entered["currency"],
            entered["amount"],
            interval=Interval(entered["interval"]),
            interval_count=entered["interval_count"],
            quantity_unit=entered.get("quantity_unit") or None,
            quantity_pricing=form.quantity.price,
        )
    except InvalidTermsError:
        return None


def _with_usage(terms: PlanTerms, usage: Sequence[UsageTerms]) -> PlanTerms:
    """The terms with the components, unless one of them comes twice."""
    by_name = {component.component: component for component in usage}
    return PlanTerms(terms.currency, terms.amount, usage=tuple(by_name.values()))


def _recurring(terms: PlanTerms) -> Sheet:
    unit = terms.quantity_unit
    rows = [
        _row(f"{_grouped(quantity)} × {unit}" if unit else "a period", rated)
        for quantity in (QUANTITIES[1:] if unit else (1,))
        for rated in [rating.recurring(terms, quantity=quantity, share=WHOLE)]
    ]
    return Sheet(_RECURRING, wording.price(terms), rows)


def _usage(usage: UsageTerms, terms: PlanTerms) -> Sheet:
    rated = {
        quantity: rating.usage(
            usage.price, used=Decimal(quantity), share=WHOLE, currency=terms.currency
        )
        for quantity in QUANTITIES
    }
    return Sheet(
        component_name(usage, terms, meter=usage.meter),
        wording.usage_price(usage.price, terms.currency),
        [_row(_grouped(quantity), found) for quantity, found in rated.items()],
    )


def _row(quantity: str, rated: Rated) -> Row:
    return Row(quantity, cells.money(rated.amount), rated.explanation)


def _grouped(quantity: int) -> str:
    return f"{quantity:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _faults(form: forms.BaseForm) -> Iterator[str]:
    """What is wrong with a form, by the labels of its fields."""
    errors: dict[str, Any] = dict(form.errors)
    for name, sentences in errors.items():
        label = form.fields[name].label if name in form.fields else ""
        yield f"{label}: {' '.join(sentences)}" if label else " ".join(sentences)
