"""In whose name documents are written, and the series their numbers come from."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as BadNumberError

from billing.admin import cells, columns
from billing.admin.base import OperatorAdmin
from billing.admin.tables import Table
from billing.models import InvoiceSeries, Seller
from customers import countries


class SellerForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """Numbers are checked by their form and stored without spaces."""

    class Meta:
        model = Seller
        fields = "__all__"  # noqa: DJ007  # every field of a seller is for operators

    def clean_iban(self) -> str:
        """An account number whose check digits are right."""
        return self._checked("iban", iban, "This is not a valid IBAN.")

    def clean_bic(self) -> str:
        """A bank's code."""
        return self._checked("bic", bic, "This is not a valid BIC.")

    def clean_vat_id(self) -> str:
        """A VAT number of a member state, with its country's letters."""
        text = str(self.cleaned_data["vat_id"])
        if self.data.get("tax_policy") != "EU_VAT":
            return text
        return self._checked("vat_id", vat, "This is not a valid VAT number of the EU.")

    def clean_country(self) -> str:
        """Two letters that are a country."""
        text = str(self.cleaned_data["country"]).upper()
        if text and text not in countries.codes():
            raise forms.ValidationError("An ISO 3166 code, like “GB”.", code="unknown_country")
        return text

    def clean(self) -> dict[str, Any]:
        """Whoever charges VAT says from where."""
        fields = super().clean() or {}
        if fields.get("tax_policy") != "NONE" and not fields.get("country"):
            self.add_error("country", "A seller who charges tax has a country.")
        return fields

    def _checked(self, name: str, number: Any, refusal: str) -> str:
        text = str(self.cleaned_data[name])
        if not text:
            return ""
        try:
            return str(number.validate(text))
        except BadNumberError:
            raise forms.ValidationError(refusal, code="invalid") from None


@admin.register(Seller)
class SellerAdmin(OperatorAdmin):
    """What stands here is for documents to come; what is issued keeps what it said."""

    form = SellerForm
    list_display = ("name", "country", "vat_id", "tax_policy", "is_default")
    search_fields = ("name",)
    ordering = ("name",)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": (("name", "is_default"),)}),
        (
            "Address",
            {
                "fields": (
                    ("line1", "line2"),
                    ("postal_code", "city"),
                    ("region", "country"),
                    ("email", "phone"),
                )
            },
        ),
        (
            "Tax",
            {
                "fields": (
                    ("tax_policy", "is_oss_registered"),
                    ("vat_id", "tax_number", "registration"),
                    ("when_unverified", "tax_rounding"),
                )
            },
        ),
        (
            "Being paid",
            {
                "fields": (
                    ("payment_days", "tolerance_minor"),
                    ("bank_name", "account_holder"),
                    ("iban", "bic"),
                )
            },
        ),
        ("On every document", {"fields": ("terms", "footer")}),
    )

    def tables(self, obj: Seller) -> list[Table]:
        """Its sequences of numbers."""
        rows = [
            [
                cells.link(row, row.prefix),
                row.get_kind_display(),
                str(row),
                "open" if row.is_open else "closed",
            ]
            for row in InvoiceSeries.objects.filter(seller=obj).order_by("kind", "pk")
        ]
        headings = ["Prefix", "Of", "Next number", "State"]
        return [Table(InvoiceSeries, "Series of numbers", headings, rows)]


class SeriesForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """A new series; its first number may go on where another system stopped."""

    class Meta:
        model = InvoiceSeries
        fields = ("seller", "kind", "prefix", "first_number", "is_open")

    def save(self, commit: bool = True) -> InvoiceSeries:  # noqa: FBT001, FBT002  # Django's own
        """The next number of a new one is its first."""
        if "first_number" in self.fields:  # which is so while it is being made
            self.instance.next_number = self.instance.first_number
        saved: InvoiceSeries = super().save(commit)
        return saved


@admin.register(InvoiceSeries)
class InvoiceSeriesAdmin(OperatorAdmin):
    """The next number moves only with documents; what is numbered once is numbered for good."""

    form = SeriesForm
    list_display = (
        "prefix",
        "kind",
        columns.computed("Next number", str),
        columns.link("seller"),
        "is_open",
    )
    list_select_related = ("seller",)
    ordering = ("prefix",)
    fields = (("seller", "kind"), ("prefix", "first_number"), "is_open")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Of a series that is there, only whether it is open can change."""
        return [] if obj is None else ["seller", "kind", "prefix", "first_number"]
