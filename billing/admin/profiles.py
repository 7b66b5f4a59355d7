"""Billing profiles: what is agreed with single customers."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from billing import clock
from billing.admin import columns
from billing.admin.base import OperatorAdmin, by
from billing.admin.theme import ModelForm, dress
from billing.core.errors import InvalidError
from billing.core.money import Money
from billing.models import BillingProfile
from billing.services import profiles
from billing.services.profiles import TopUp

_TOP_UP: Final = ("top_up_currency", "threshold", "amount")


class ProfileForm(ModelForm):
    """A profile; amounts in major units. `top_up` is what a valid form says of it."""

    threshold = forms.DecimalField(label="When less is left than", required=False, min_value=0)
    amount = forms.DecimalField(label="Buy", required=False, min_value=0)

    top_up: TopUp | None

    class Meta:
        model = BillingProfile
        fields = ("customer", "seller", "dunning_policy", "is_dunned", "top_up_currency")
        labels = {
            "seller": "Invoices are written by",
            "top_up_currency": "Currency",
            "is_dunned": "Dunned when an invoice is not paid",
        }
        help_texts = {
            "seller": "Blank: the default.",
            "dunning_policy": "Blank: their plan's, or the default.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"threshold", "amount"} & self.fields.keys():
            dress(self.fields[name])
        profile = self.instance
        if profile.top_up_currency:
            code = profile.top_up_currency
            self.initial = {
                **self.initial,
                "threshold": Money(profile.top_up_threshold_minor or 0, code).major,
                "amount": Money(profile.top_up_amount_minor or 0, code).major,
            }

    def clean(self) -> dict[str, Any]:
        """A top-up is whole, or there is none."""
        cleaned = super().clean() or {}
        self.top_up = None
        said = [cleaned.get(name) for name in _TOP_UP]
        if self.errors or said == ["", None, None]:
            return cleaned
        code = str(cleaned.get("top_up_currency")).upper()
        if None in said or not code:
            self.add_error("top_up_currency", "A top-up needs currency, threshold and amount.")
            return cleaned
        try:
            self.top_up = TopUp(
                threshold=Money.parse(cleaned["threshold"], code),
                amount=Money.parse(cleaned["amount"], code),
            )
        except InvalidError as error:
            self.add_error("top_up_currency", error.detail)
        return cleaned

    def _post_clean(self) -> None:
        """The service writes the row and checks it: here it would be read in halves."""

    @property
    def said(self) -> dict[str, Any]:
        """What was entered, for the service, and nothing that was left as it was."""
        found: dict[str, Any] = {}
        for name in ("seller", "dunning_policy"):
            if name in self.changed_data:
                row = self.cleaned_data[name]
                found[name] = None if row is None else row.pk
        if "is_dunned" in self.changed_data:
            found["is_dunned"] = self.cleaned_data["is_dunned"]
        if set(_TOP_UP) & set(self.changed_data):
            found["top_up"] = self.top_up
        return found


@admin.register(BillingProfile)
class BillingProfileAdmin(OperatorAdmin):
    """Customers with whom something is agreed beside their subscription."""

    form = ProfileForm
    autocomplete_fields = ("customer",)
    list_display = (
        columns.link("customer"),
        columns.link("seller"),
        columns.link("dunning_policy"),
        "is_dunned",
        "top_up_currency",
    )
    list_select_related = ("customer", "seller", "dunning_policy")
    list_filter = ("is_dunned", "dunning_policy", "seller")
    search_fields = ("customer__organization_id",)
    ordering = ("customer__organization_id",)
    fieldsets = (
        (None, {"fields": ("customer", "seller")}),
        ("Dunning", {"fields": (("dunning_policy", "is_dunned"),)}),
        ("Credit that is bought by itself", {"fields": (_TOP_UP,)}),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: BillingProfile | None = None
    ) -> tuple[str, ...]:
        """With whom, once it is there."""
        return () if obj is None else ("customer",)

    def save_model(
        self,
        request: HttpRequest,
        obj: BillingProfile,
        form: ProfileForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Agree on it by its service."""
        customer_id = obj.customer_id if change else form.cleaned_data["customer"].pk
        profiles.change(customer_id, fields=form.said, by=by(request), now=clock.now())
        obj.customer_id = customer_id
