"""Forms of the pages: they check shape, not business."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import available_timezones

from allauth.core import context
from django import forms
from django.contrib import messages
from django.http import HttpRequest

from billing import clock
from billing.core.errors import BillingError
from billing.queries import catalogue
from billing.services import onboarding
from billing.web.offers import offers, summary
from customers import countries, vat
from customers.models import Customer, TaxId, User
from customers.services import DETAILS, TAX_IDS


class SignupForm(forms.Form):
    """What is asked for beyond e-mail and password: the plan, chosen already by `?plan=`."""

    field_order = ("email", "password1", "plan")

    plan = forms.ChoiceField(
        widget=forms.RadioSelect,
        label="Plan",
        error_messages={
            "required": "Please choose a plan.",
            "invalid_choice": "This plan is not on sale. Please choose another.",
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        on_sale = offers(catalogue.on_sale())
        self._plans = {str(offer.plan.pk): offer.plan for offer in on_sale}
        _offer(self, "plan", [(str(offer.plan.pk), summary(offer)) for offer in on_sale])
        self.initial.setdefault("plan", context.request.GET.get("plan"))

    def signup(self, request: HttpRequest, user: User) -> None:
        """Make the new person a customer on the plan, with its trial.

        Should the plan have gone off sale meanwhile, the person is told and chooses another.
        """
        try:
            onboarding.sign_up(user, self._plans[self.cleaned_data["plan"]], now=clock.now())
        except BillingError as error:
            messages.error(request, error.detail)


class DetailsForm(forms.Form):
    """Who the invoices are for. `version` is what the person last saw of them."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(
        label="Name or company",
        max_length=255,
        required=False,
        help_text="As it shall stand on invoices.",
    )
    email = forms.EmailField(
        label="E-mail for bills",
        required=False,
        help_text="You go on signing in with the address of your account.",
    )
    phone = forms.CharField(label="Phone", max_length=64, required=False)
    line1 = forms.CharField(label="Street and number", max_length=255, required=False)
    line2 = forms.CharField(label="Address, second line", max_length=255, required=False)
    postal_code = forms.CharField(label="Postal code", max_length=32, required=False)
    city = forms.CharField(label="City", max_length=255, required=False)
    state = forms.CharField(label="State or region", max_length=255, required=False)
    country = forms.ChoiceField(
        label="Country", required=False, help_text="Together with the number below: your tax."
    )
    tax_number = forms.CharField(
        label="VAT or tax number",
        max_length=64,
        required=False,
        help_text="Of a business. One of the EU begins with its country: DE136695976.",
    )
    timezone = forms.ChoiceField(
        label="Time zone", help_text="Your days and billing periods begin at midnight here."
    )

    _autocomplete: ClassVar[dict[str, str]] = {
        "name": "organization",
        "email": "email",
        "phone": "tel",
        "line1": "address-line1",
        "line2": "address-line2",
        "postal_code": "postal-code",
        "city": "address-level2",
        "state": "address-level1",
        "country": "country",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "country", [("", "not said"), *countries.names().items()])
        zones = sorted(available_timezones())
        _offer(self, "timezone", [(zone, zone.replace("_", " ")) for zone in zones])
        for name, hint in self._autocomplete.items():
            self.fields[name].widget.attrs["autocomplete"] = hint

    @staticmethod
    def values_of(customer: Customer) -> dict[str, Any]:
        """What is on record, as the form shows it."""
        values = {name: getattr(customer.details, name) for name in DETAILS}
        return {
            **values,
            "country": customer.details.country_code,
            "tax_number": next((row.value for row in _numbers(customer)), ""),
            "timezone": customer.timezone,
            "version": customer.version,
        }

    def clean(self) -> dict[str, Any]:
        """With the tax number in the notation of its country."""
        cleaned = super().clean() or {}
        typed = cleaned.get("tax_number")
        if typed and "country" in cleaned:
            try:
                cleaned["tax_number"] = vat.parsed(vat.kind_of(cleaned["country"]), typed).value
            except forms.ValidationError as fault:
                self.add_error("tax_number", fault)
        return cleaned

    def fields_of(self, customer: Customer) -> dict[str, Any]:
        """What is to be saved. Numbers beyond the one that is shown stay as they are."""
        fields = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        number = fields.pop("tax_number")
        shown, *others = [(row.kind, row.value) for row in _numbers(customer)] or [("", "")]
        if number != shown[1]:
            new = [(vat.kind_of(fields["country"]), number)] if number else []
            fields[TAX_IDS] = [*new, *others]
        if fields["country"] == customer.details.country_code:
            del fields["country"]  # so that it stays as somebody wrote it
        return fields


def _numbers(customer: Customer) -> list[TaxId]:
    """The oldest first, which is the one that the form shows."""
    return list(customer.tax_ids.order_by("pk"))


def _offer(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        field.choices = choices


class AdvanceForm(forms.Form):
    """Where a test clock shall stand: an instant, or a local date and time."""

    LONGEST: ClassVar[timedelta] = timedelta(days=400)

    to = forms.DateTimeField(
        label="To",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "invalid": "Please enter a date and a time.",
            "required": "Please enter when.",
        },
    )

    def __init__(self, *args: Any, present: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._present = present

    def clean_to(self) -> datetime:
        """Not so far that a person would wait for it."""
        to: datetime = self.cleaned_data["to"]
        if to > self._present + self.LONGEST:
            raise forms.ValidationError("That is too far: go at most 400 days at a time.")
        return to
