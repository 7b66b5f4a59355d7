"""How a gateway is set, in form fields: codes as lists, methods as it declares them."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Final

from django import forms

from billing.admin.theme import CheckboxSelectMultiple, ModelForm, dress
from billing.core.currencies import EXPONENTS
from billing.gateways import registry
from billing.models import GatewayRoute
from billing.models.payment import KIND_WORDS
from billing.services.routes import FIELDS
from customers import countries

_CODES: Final = ("currencies", "countries")


class RouteForm(ModelForm):
    """A gateway's settings. `changes` are what a valid form makes different."""

    currencies = forms.CharField(
        required=False, help_text="ISO 4217 with commas between: EUR, USD. Empty: all it takes."
    )
    countries = forms.CharField(
        required=False, help_text="ISO 3166 with commas between: DE, FR. Empty: everywhere."
    )
    methods = forms.MultipleChoiceField(
        required=False,
        widget=CheckboxSelectMultiple,
        help_text="None: all it takes.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = GatewayRoute
        fields = ("is_enabled", "priority", "weight", "has_failover")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {*_CODES} & self.fields.keys():
            dress(self.fields[name])
            self.initial[name] = ", ".join(getattr(self.instance, name))
        methods = self.fields.get("methods")
        if isinstance(methods, forms.MultipleChoiceField):
            methods.choices = [(kind, KIND_WORDS.get(kind, kind)) for kind in self._kinds()]
            self.initial["methods"] = self.instance.methods
        self.initial["version"] = self.instance.version

    @property
    def changes(self) -> dict[str, Any]:
        """What was entered, and nothing that was left as it was."""
        return {
            name: self.cleaned_data[name]
            for name in FIELDS
            if self.cleaned_data[name] != getattr(self.instance, name)
        }

    def clean_currencies(self) -> list[str]:
        """Codes that there are."""
        return self._codes("currencies", EXPONENTS)

    def clean_countries(self) -> list[str]:
        """Likewise."""
        return self._codes("countries", countries.codes())

    def clean_weight(self) -> int:
        """A share is more than nothing."""
        weight: int = self.cleaned_data["weight"]
        if weight < 1:
            raise forms.ValidationError("A weight is at least 1.")
        return weight

    def _post_clean(self) -> None:
        """The service writes the row."""

    def _codes(self, name: str, known: Container[str]) -> list[str]:
        parts = [part.strip().upper() for part in self.cleaned_data[name].split(",")]
        found = list(dict.fromkeys(part for part in parts if part))
        unknown = [code for code in found if code not in known]
        if unknown:
            raise forms.ValidationError(f"There is no {', '.join(unknown)}.")
        return found

    def _kinds(self) -> list[str]:
        """What it declares, and what was set of a gateway that is not there any more."""
        gateway = registry.offered().get(self.instance.name)
        declared = [] if gateway is None else list(gateway.capabilities.kinds)
        return list(dict.fromkeys([*declared, *self.instance.methods]))
