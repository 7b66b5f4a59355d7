"""In whose name documents are written, and the series their numbers come from."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as BadNumberError
from unfold.widgets import UnfoldAdminFileFieldWidget

from billing.admin import cells, columns
from billing.admin.base import OperatorAdmin
from billing.admin.tables import Table
from billing.admin.theme import dress
from billing.core import colours, pictures, schemes
from billing.core.errors import InvalidError
from billing.models import InvoiceSeries, Seller
from billing.queries import brands
from billing.services import logos
from customers import countries

_OURS: Final = "#0f6b52"
_PICTURES: Final = ",".join(kind.media_type for kind in pictures.PictureKind)


class SellerForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """Numbers are checked by their form and stored without spaces; the logo is a row of its own."""

    logo_file = forms.FileField(
        label="Logo",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": _PICTURES}),
        help_text="PNG, JPEG or WebP, at most 256 KB, shown 38 pixels high instead of the name.",
    )
    is_without_logo = forms.BooleanField(label="Remove the logo", required=False)

    class Meta:
        model = Seller
        fields = "__all__"  # noqa: DJ007  # every field of a seller is for operators
        help_texts = {
            "brand_name": "As customers know you; empty for the name above.",
            "brand_colour": "Like #0f6b52. What is written on it and in it stays readable.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self.fields["is_without_logo"])

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

    def clean_brand_colour(self) -> str:
        """A colour as style sheets write it."""
        text = str(self.cleaned_data["brand_colour"]).lower()
        if text and not colours.is_colour(text):
            raise forms.ValidationError("A colour like “#0f6b52”.", code="invalid")
        return text

    def clean_logo_file(self) -> bytes:
        """A picture of a kind that is shown; empty for none."""
        upload = self.cleaned_data["logo_file"]
        if not upload:
            return b""
        content: bytes = upload.read(pictures.MAX_BYTES + 1)
        try:
            pictures.kind_of(content)
        except InvalidError as refused:
            raise forms.ValidationError(refused.detail, code=refused.code) from None
        return content

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
    readonly_fields = ("preview",)
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
        (
            "Brand of its customers' pages",
            {
                "fields": (
                    ("brand_name", "brand_colour"),
                    "logo_file",
                    "is_without_logo",
                    "preview",
                )
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: Seller, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's own
        """The logo goes with its seller."""
        super().save_model(request, obj, form, change)
        if form.cleaned_data["logo_file"]:
            logos.put(obj.pk, form.cleaned_data["logo_file"])
        elif form.cleaned_data["is_without_logo"]:
            logos.remove(obj.pk)

    def preview(self, obj: Seller) -> SafeString | str:
        """What customers see of what is saved, by day and by night."""
        brand = brands.of_seller(obj.pk)
        if brand is None:
            return cells.NOTHING
        colour = brand.colour or _OURS
        context = {"brand": brand, "schemes": [schemes.light(colour), schemes.dark(colour)]}
        return SafeString(render_to_string("admin/billing/brand.html", context))

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
