"""A price in form fields, its tiers in rows: blank rows are not there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms

from billing.admin.theme import dress
from billing.core.figures import plain
from plans import prices
from plans.prices import TIERED, Price, Tier, UsageModel
from plans.terms import InvalidTermsError, PlanTerms, UsageTerms

_BLANK_TIERS: Final = 3
_MOST: Final = 100
_MODELS: Final = [
    (UsageModel.ALLOWANCE.value, "Allowance: some free, then each"),
    (UsageModel.PER_UNIT.value, "Per unit: each"),
    (UsageModel.GRADUATED.value, "Graduated: each tier at its price"),
    (UsageModel.VOLUME.value, "Volume: all at one tier's price"),
    (UsageModel.PACKAGE.value, "Package: each package begun"),
    (UsageModel.PERCENTAGE.value, "Percentage of an amount"),
]
_OF_QUANTITY: Final = TIERED | {UsageModel.PACKAGE}
# Field → the models that take it, and those that cannot do without.
_TAKEN: Final[dict[str, frozenset[str]]] = {
    "included": prices.WITH_FREE_UNITS,
    "unit_amount": frozenset({UsageModel.ALLOWANCE, UsageModel.PER_UNIT, UsageModel.PACKAGE}),
    "package_size": frozenset({UsageModel.PACKAGE}),
    "percent": frozenset({UsageModel.PERCENTAGE}),
}
_OPTIONAL: Final = "included"


def figure(label: str, **options: Any) -> forms.DecimalField:
    """A rate or a quantity: not negative, exact to 12 decimals, may be left blank."""
    return forms.DecimalField(
        label=label,
        required=options.pop("required", False),
        min_value=options.pop("min_value", 0),
        max_digits=27,
        decimal_places=prices.MAX_DECIMALS,
        widget=forms.TextInput(
            attrs={
                "inputmode": "decimal",
                "autocomplete": "off",
                "placeholder": options.pop("placeholder", ""),
            }
        ),
        **options,
    )


def _size(label: str) -> forms.DecimalField:
    return figure(label, min_value=Decimal(1).scaleb(-prices.MAX_DECIMALS))


class TierForm(forms.Form):
    """A row of the table of tiers."""

    up_to = figure("Up to", placeholder="all above")
    unit_amount = figure("Price per unit", placeholder="0")
    flat_amount = figure("Flat amount", placeholder="none")
    package_size = _size("Units in a package")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)
            field.widget.attrs["aria-label"] = field.label

    @property
    def tier(self) -> Tier | None:
        """What a valid row says; None where it says nothing."""
        entered: dict[str, Decimal | None] = {
            name: self.cleaned_data.get(name) for name in type(self).base_fields
        }
        if all(value is None for value in entered.values()):
            return None
        return Tier(
            up_to=entered["up_to"],
            unit_amount=entered["unit_amount"] or Decimal(0),
            flat_amount=entered["flat_amount"] or Decimal(0),
            package_size=entered["package_size"],
        )


TIERS: Final = forms.formset_factory(
    TierForm, extra=_BLANK_TIERS, can_delete=True, max_num=_MOST, validate_max=True
)


class PriceForm(forms.Form):
    """A price. `price` is what a valid form says; None where there is none."""

    model = forms.ChoiceField(
        label="How it is priced", choices=_MODELS, initial=UsageModel.ALLOWANCE
    )
    included = figure("Included, free of charge", placeholder="0")
    unit_amount = figure("Price")
    package_size = _size("Units in a package")
    percent = figure("Percent", help_text="2.5 is 2.5 %.")

    price: Price | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            dress(field)
            if name in _TAKEN:
                field.widget.attrs["data-models"] = " ".join(sorted(_TAKEN[name]))
        self.tiers = TIERS(
            self.data if self.is_bound else None,
            prefix=self.add_prefix("tiers"),
            initial=self.initial.get("tiers"),
        )

    def has_changed(self) -> bool:
        """Whether anything is entered, a tier included."""
        return super().has_changed() or self.tiers.has_changed()

    @property
    def is_left_blank(self) -> bool:
        """Whether nothing is entered, in a form that need not be."""
        return self.empty_permitted and not (self.is_bound and self.has_changed())

    def is_valid(self) -> bool:
        """Whether the price is, and each of its tiers."""
        return super().is_valid() and (self.is_left_blank or self.tiers.is_valid())

    def clean(self) -> dict[str, Any]:
        """Read the price as a whole; each fault is shown where it was made."""
        cleaned = super().clean() or {}
        if self.tiers.is_valid() and not self.errors:
            self._require_what_the_model_needs(cleaned)
            if not self.errors and cleaned["model"]:
                self.price = self._read(cleaned)
        return cleaned

    def _require_what_the_model_needs(self, cleaned: dict[str, Any]) -> None:
        model = cleaned["model"]
        for name, models in _TAKEN.items():
            value = cleaned.get(name)
            if model in models and value is None and name != _OPTIONAL:
                self.add_error(name, "This price needs it.")
            elif model not in models and value:
                self.add_error(name, "This price has none: leave it blank.")
        if (model in TIERED) != bool(self._rows):
            sentence = "Enter its tiers." if model in TIERED else "It has no tiers: remove them."
            self.add_error("model", sentence)

    def _read(self, cleaned: dict[str, Any]) -> Price:
        rows = self._rows
        price = Price(
            model=UsageModel(cleaned["model"]),
            unit_amount=cleaned["unit_amount"] or Decimal(0),
            included=cleaned["included"] or Decimal(0),
            tiers=tuple(tier for _, tier in rows),
            package_size=cleaned["package_size"],
            percent=cleaned.get("percent"),
        )
        if sentences := prices.faults(price):
            misplaced = _misplaced(price.tiers)
            if misplaced is None:
                self.add_error(None, sentences)
            else:
                rows[misplaced][0].add_error("up_to", sentences)
        return price

    @property
    def _rows(self) -> list[tuple[TierForm, Tier]]:
        """The rows that say something and stay."""
        kept = [form for form in self.tiers.forms if form not in self.tiers.deleted_forms]
        return [(form, form.tier) for form in kept if form.tier is not None]


class QuantityPriceForm(PriceForm):
    """The price of the quantity, where it is priced by tiers or packages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model = self.fields["model"]
        offered = [choice for choice in _MODELS if choice[0] in _OF_QUANTITY]
        model.choices = [("", "The amount above for each unit"), *offered]  # type: ignore[attr-defined]  # a ChoiceField's
        model.required, model.initial = False, ""
        del self.fields["percent"]


class UsageForm(PriceForm):
    """One component: what a meter counts, or some of it, and its price."""

    meter = forms.ChoiceField(label="Meter")
    only = forms.CharField(
        label="Only events with",
        required=False,
        widget=forms.Textarea(attrs={"placeholder": "region = eu"}),
        help_text=(
            "A line for each value that a property may have. All other events count in the "
            "component of this meter that has no filter."
        ),
    )

    component: UsageTerms | None = None

    def __init__(self, *args: Any, meters: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["meter"].choices = [("", "Choose a meter"), *meters]  # type: ignore[attr-defined]  # a ChoiceField's

    def clean_only(self) -> dict[str, tuple[str, ...]]:
        """Each property with its values."""
        lines: list[str] = self.cleaned_data["only"].splitlines()
        kept: dict[str, tuple[str, ...]] = self.initial.get("stored_only", {})
        if lines == self.initial.get("only", "").strip().splitlines():
            return kept  # which may hold what no line can
        found: dict[str, dict[str, None]] = {}
        for line in lines:
            name, _, value = (part.strip() for part in line.partition("="))
            if line.strip() and not (name and value):
                raise forms.ValidationError("Write each line as “property = value”.")
            if name:
                found.setdefault(name, {})[value] = None
        return {name: tuple(values) for name, values in found.items()}

    def clean(self) -> dict[str, Any]:
        """Read the component as a whole."""
        cleaned = super().clean()
        if self.price is None or self.errors or not self.tiers.is_valid():
            return cleaned
        component = UsageTerms(cleaned["meter"], self.price, cleaned["only"])
        try:
            PlanTerms("USD", Decimal(0), usage=(component,))
        except InvalidTermsError as error:
            self.add_error("only", error.errors["usage"])
        else:
            self.component = component
        return cleaned


USAGE: Final = forms.formset_factory(
    UsageForm, extra=1, can_delete=True, max_num=_MOST, validate_max=True
)


def price_initial(price: Price | None) -> dict[str, Any]:
    """What a price's form shows at first."""
    if price is None:
        return {"model": ""}
    return {
        "model": price.model.value,
        "included": _text(price.included or None),
        "unit_amount": _text(price.unit_amount if price.model in _TAKEN["unit_amount"] else None),
        "package_size": _text(price.package_size),
        "percent": _text(price.percent),
        "tiers": [
            {
                "up_to": _text(tier.up_to),
                "unit_amount": _text(tier.unit_amount),
                "flat_amount": _text(tier.flat_amount or None),
                "package_size": _text(tier.package_size),
            }
            for tier in price.tiers
        ],
    }


def usage_initial(usage: UsageTerms) -> dict[str, Any]:
    """What a component's form shows at first."""
    lines = [f"{name} = {value}" for name, values in usage.only.items() for value in values]
    return {
        "meter": usage.meter,
        "only": "\n".join(lines),
        "stored_only": dict(usage.only),
        **price_initial(usage.price),
    }


def _misplaced(tiers: Sequence[Tier]) -> int | None:
    """The first tier whose bound does not fit where it stands."""
    previous = Decimal(0)
    for index, tier in enumerate(tiers):
        is_last = index == len(tiers) - 1
        if (tier.up_to is None) != is_last:
            return index
        if tier.up_to is not None:
            if tier.up_to <= previous:
                return index
            previous = tier.up_to
    return None


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
