"""A plan's terms in form fields, for people who are no programmers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from django import forms

from billing.admin.price_forms import (
    USAGE,
    QuantityPriceForm,
    UsageForm,
    figure,
    price_initial,
    usage_initial,
)
from billing.admin.theme import ModelForm, dress
from billing.core.errors import InvalidError
from billing.core.figures import plain
from billing.core.money import Money, exponent
from billing.core.tax_policies import STANDARD
from plans import services
from plans.models import Meter, Plan
from plans.terms import (
    DOWNGRADE,
    MAX_INTERVAL_COUNT,
    MAX_QUANTITY,
    MAX_TRIAL_DAYS,
    UPGRADE,
    Alignment,
    Billed,
    ChangeCharge,
    ChangePolicy,
    ChangeTime,
    Interval,
    InvalidTermsError,
    PlanTerms,
    Proration,
    TrialUsage,
    UsageTerms,
)

_PLAIN: Final = (
    "interval_count",
    "trial_days",
    "first_day_counts",
    "trial_needs_method",
    "tax_class",
    "is_tax_included",
    "is_prepaid",
)
_WORDS: Final[dict[str, type[StrEnum]]] = {
    "interval": Interval,
    "alignment": Alignment,
    "billed": Billed,
    "proration": Proration,
    "trial_usage": TrialUsage,
}
_POLICIES: Final = {"upgrade": UPGRADE, "downgrade": DOWNGRADE}
_WHEN: Final = [
    (ChangeTime.NOW.value, "At once"),
    (ChangeTime.PERIOD_END.value, "At the end of the period"),
]
_CHARGE: Final = [
    (ChangeCharge.PRORATE.value, "By time: the rest is credited and charged"),
    (ChangeCharge.FULL.value, "Whole: nothing is credited"),
    (ChangeCharge.RESET.value, "Begin anew: the rest is credited"),
    (ChangeCharge.NONE.value, "Nothing before the next period"),
]
_YES_OR_NO: Final = {"yes": True, "no": False}


class EntryForm(forms.Form):
    """A row of features or of limits: a name, and what it is."""

    name = forms.CharField(label="Name", max_length=64)
    value = forms.CharField(label="Value", max_length=1000)

    def __init__(self, *args: Any, example: tuple[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, text in zip(self.fields.values(), example, strict=False):
            dress(field)
            field.widget.attrs |= {"aria-label": field.label, "placeholder": text}


ENTRIES: Final = forms.formset_factory(EntryForm, extra=1, can_delete=True)


class PlanForm(ModelForm):
    """How a plan is shown and what it costs. `terms` is what a valid form says.

    Around the fields stand the price of the quantity, the usage components, features and limits,
    each a form or a formset of its own.
    """

    currency = forms.CharField(max_length=3, min_length=3, initial="USD")
    amount = figure("Amount", required=True)
    interval_count = forms.IntegerField(
        label="Every", initial=1, min_value=1, max_value=MAX_INTERVAL_COUNT
    )
    interval = forms.ChoiceField(
        label="Interval",
        choices=[(i.value, i.capitalize()) for i in Interval],
        initial=Interval.MONTH,
    )
    billed = forms.ChoiceField(
        label="Billed",
        choices=[
            (Billed.IN_ARREARS.value, "When a period is over"),
            (Billed.IN_ADVANCE.value, "When a period begins"),
        ],
        help_text="Usage is always billed when a period is over.",
    )
    quantity_unit = forms.CharField(
        label="Sold by the",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "seat"}),
        help_text="In the singular. Blank if there is nothing to have several of.",
    )
    minimum_quantity = forms.IntegerField(
        label="At least", initial=1, min_value=1, max_value=MAX_QUANTITY, required=False
    )
    minimum = figure(
        "Least total of a period",
        help_text="What is missing to it is charged on a line of its own. Blank for none.",
    )
    alignment = forms.ChoiceField(
        label="Periods",
        choices=[
            (Alignment.ANNIVERSARY.value, "Count from the customer's start"),
            (Alignment.CALENDAR.value, "End with the calendar"),
        ],
    )
    proration = forms.ChoiceField(
        label="A short period costs",
        choices=[
            (Proration.DAY.value, "Its share, by days"),
            (Proration.SECOND.value, "Its share, by seconds"),
            (Proration.FIXED_30.value, "Its share, a month counted as 30 days"),
            (Proration.NONE.value, "As much as a whole one"),
        ],
    )
    first_day_counts = forms.BooleanField(
        label="The first day of a short period is charged", initial=True, required=False
    )
    tax_class = forms.CharField(
        label="Class of tax",
        initial=STANDARD,
        max_length=32,
        required=False,
        help_text="standard, reduced, super_reduced, zero or exempt.",
    )
    is_tax_included = forms.BooleanField(label="Prices have the tax in them", required=False)
    is_prepaid = forms.BooleanField(
        label="Usage is prepaid: it draws credit down as it happens, and ends with it",
        required=False,
    )
    trial_days = forms.IntegerField(
        label="Days of trial", initial=0, min_value=0, max_value=MAX_TRIAL_DAYS
    )
    trial_usage = forms.ChoiceField(
        label="Usage in the trial",
        choices=[
            (TrialUsage.FREE.value, "Is free"),
            (TrialUsage.COUNTED.value, "Is charged with the first bill"),
        ],
    )
    trial_needs_method = forms.BooleanField(
        label="A trial needs a card or another payment method", required=False
    )
    upgrade_when = forms.ChoiceField(label="To a dearer plan", choices=_WHEN)
    upgrade_charge = forms.ChoiceField(label="In mid-period", choices=_CHARGE)
    downgrade_when = forms.ChoiceField(
        label="To a cheaper plan", choices=_WHEN, initial=DOWNGRADE.when
    )
    downgrade_charge = forms.ChoiceField(label="In mid-period", choices=_CHARGE)
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    terms: PlanTerms

    class Meta:
        model = Plan
        fields = services.LISTING

    class Media:
        css = {"all": ["billing/plan-form.css"]}
        js = [forms.Script("billing/plan-form.js", defer=True)]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.instance.terms if self.instance.current_id else None
        if self.stored is not None:
            seen = {"seen_version": self.instance.version}
            self.initial = {**self.initial, **_initial(self.stored), **seen}
        for field in self.fields.values():
            dress(field)
        self._make_parts(self.stored)

    def _make_parts(self, stored: PlanTerms | None) -> None:
        data = self.data if self.is_bound else None
        meters = [
            (meter.code, meter.code if meter.name == meter.code else f"{meter.name} ({meter.code})")
            for meter in Meter.objects.order_by("code")
        ]
        self.quantity = QuantityPriceForm(
            data,
            prefix="quantity_pricing",
            initial=price_initial(stored.quantity_pricing if stored else None),
        )
        self.usage = USAGE(
            data,
            prefix="usage",
            initial=[usage_initial(usage) for usage in stored.usage] if stored else None,
            form_kwargs={"meters": meters},
        )
        self.features = ENTRIES(
            data,
            prefix="features",
            initial=_entries(stored.features if stored else {}),
            form_kwargs={"example": ("sso", "yes")},
        )
        self.limits = ENTRIES(
            data,
            prefix="limits",
            initial=_entries(stored.limits if stored else {}),
            form_kwargs={"example": ("api_calls", "1000")},
        )

    def is_valid(self) -> bool:
        """Whether it can be saved; who asks for a preview does not want it to be."""
        return "_preview" not in self.data and super().is_valid()

    def clean_tax_class(self) -> str:
        """The usual one, where nothing is entered."""
        return str(self.cleaned_data["tax_class"] or STANDARD)

    def clean_currency(self) -> str:
        """A currency that there is."""
        code: str = self.cleaned_data["currency"].upper()
        try:
            exponent(code)
        except InvalidError as error:
            raise forms.ValidationError(error.detail) from None
        return code

    def clean(self) -> dict[str, Any]:
        """Read the terms as a whole; each fault is shown where it was made."""
        cleaned = super().clean() or {}
        self._require_decimals(cleaned)
        parts = (self.quantity, self.usage, self.features, self.limits)
        are_valid = [part.is_valid() for part in parts]
        if self.quantity.price is not None and not cleaned.get("quantity_unit"):
            self.add_error("quantity_unit", "Say what is sold, because it has a price.")
        if cleaned.get("seen_version") not in (None, self.instance.version):
            self.add_error(None, "Somebody has changed the terms meanwhile. Open the page anew.")
        if not all(are_valid):
            self.add_error(None, "Please mend the prices and rows that are marked below.")
        if not self.errors:
            try:
                self.terms = self._terms(cleaned)
            except InvalidTermsError as error:
                self._show(error)
        return cleaned

    def _require_decimals(self, cleaned: dict[str, Any]) -> None:
        """What is charged as it stands has no more decimals than the currency."""
        if cleaned.get("amount") is None or "currency" not in cleaned:
            return
        try:
            Money.parse(cleaned["amount"], cleaned["currency"])
        except InvalidError as error:
            self.add_error("amount", error.detail)

    def _terms(self, cleaned: dict[str, Any]) -> PlanTerms:
        words = {name: word(cleaned[name]) for name, word in _WORDS.items()}
        policies = {
            name: ChangePolicy(
                ChangeTime(cleaned[f"{name}_when"]), ChangeCharge(cleaned[f"{name}_charge"])
            )
            for name in _POLICIES
        }
        stored = self.stored.features if self.stored else {}
        fields: dict[str, Any] = {name: cleaned[name] for name in _PLAIN} | words | policies
        return PlanTerms(
            currency=cleaned["currency"],
            amount=cleaned["amount"],
            quantity_unit=cleaned["quantity_unit"] or None,
            quantity_pricing=self.quantity.price,
            minimum_quantity=cleaned["minimum_quantity"] or 1,
            minimum=cleaned["minimum"],
            usage=tuple(component for _, component in self.components),
            features={
                name: _feature(text, stored.get(name)) for name, text in _read(self.features)
            },
            limits=dict(_read(self.limits)),
            **fields,
        )

    @property
    def components(self) -> list[tuple[UsageForm, UsageTerms]]:
        """The usage components that are valid and stay, with their forms."""
        kept = [form for form in self.usage.forms if form not in self.usage.deleted_forms]
        return [(form, form.component) for form in kept if form.component is not None]

    def _show(self, error: InvalidTermsError) -> None:
        """Put each sentence on its field; what comes twice is marked where it comes again."""
        for name, sentences in error.errors.items():
            self.add_error(name if name in self.fields else None, sentences)
        seen: set[str] = set()
        for form, component in self.components:
            if component.component in seen:
                form.add_error("meter", "There is another price of the same meter and filter.")
            seen.add(component.component)


def _initial(terms: PlanTerms) -> dict[str, Any]:
    stored = terms.to_json()
    shown = {name: stored[name] for name in (*_PLAIN, *_WORDS, "currency", "minimum_quantity")}
    for name in _POLICIES:
        policy: ChangePolicy = getattr(terms, name)
        shown |= {f"{name}_when": policy.when.value, f"{name}_charge": policy.charge.value}
    return shown | {
        "amount": plain(terms.amount),
        "quantity_unit": terms.quantity_unit or "",
        "minimum": None if terms.minimum is None else plain(terms.minimum),
    }


def _entries(stored: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "value": _shown(value)} for name, value in stored.items()]


def _shown(value: Any) -> str:
    """A feature's value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value)


def _feature(text: str, stored: Any) -> Any:
    """What a text says; one that was not changed stays what it is, a number for instance."""
    if stored is not None and _shown(stored) == text:
        return stored
    return _YES_OR_NO.get(text.lower(), text)


def _read(rows: Any) -> list[tuple[str, str]]:
    """The rows that stay. They are any: a formset has no type at run time."""
    return [
        (form.cleaned_data["name"], form.cleaned_data["value"])
        for form in rows.forms
        if form.cleaned_data and form not in rows.deleted_forms
    ]
