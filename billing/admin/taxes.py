"""Tax numbers with what is known of them, and the rates of tax."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, columns
from billing.admin.base import BooksAdmin, by
from billing.admin.tables import Table, beginning
from billing.admin.theme import DialogForm, dialog_action, dress
from billing.core import figures
from billing.models import TaxRate
from customers import tax_ids
from customers.models import Customer, TaxId, TaxIdStatus


class ConfirmForm(DialogForm):
    """How the operator knows."""

    reason = forms.CharField(
        label="How do you know?", max_length=255, help_text="Kept with the number and your name."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self.fields["reason"])


def standing(row: TaxId) -> object:
    """The last answer, and whether it could not be had again."""
    if row.confirmed_by:
        return cells.status("CONFIRMED")
    return cells.status("STALE" if row.is_stale else row.status)


@admin.register(TaxId)
class TaxIdAdmin(BooksAdmin):
    """Customers give them, registers answer about them, operators may vouch for them."""

    list_display = (
        "value",
        columns.link("customer"),
        "kind",
        columns.computed("Standing", standing),
        columns.instant("checked_at"),
        columns.instant("next_check_at", "asked again"),
    )
    list_select_related = ("customer",)
    list_filter = ("status", "is_stale", "kind")
    search_fields = ("=value", "customer__organization_id")
    search_help_text = "The whole number, or a part of the organization"
    ordering = ("-pk",)
    actions_detail = ("confirm",)
    readonly_fields = (
        "value",
        "kind",
        "country",
        columns.link("customer"),
        columns.computed("Standing", standing),
        columns.status("status", "last answer"),
        columns.instant("checked_at"),
        "consultation",
        columns.instant("next_check_at", "asked again"),
        "tries",
        "confirmed_by",
        "confirmation",
    )
    fields = (
        readonly_fields[:4],
        readonly_fields[4:8],
        readonly_fields[8:10],
        readonly_fields[10:],
    )

    def is_offered(self, action: str, obj: TaxId) -> bool:
        """Where it is not known to be valid for certain."""
        return obj.status != TaxIdStatus.VALID or obj.is_stale

    @dialog_action(
        "Confirm",
        "The number counts as valid from now on, and its register is not asked any more.",
        icon="verified",
        form=ConfirmForm,
    )
    def confirm(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        """Vouch for it."""

        def command(row: TaxId) -> str:
            reason = form.cleaned_data["reason"]
            tax_ids.confirm(row.pk, reason=reason, by=by(request), now=clock.now())
            return "The number is confirmed."

        return self.act(request, object_id, command)


@admin.register(TaxRate)
class TaxRateAdmin(BooksAdmin):
    """What countries levy. `manage.py load_tax_rates` brings them up to date."""

    list_display = (
        "country",
        "region",
        "tax_class",
        columns.computed("Percent", lambda rate: figures.plain(rate.percent)),
        "starts_on",
        "ends_on",
        "source",
    )
    list_filter = ("tax_class", ("ends_on", admin.EmptyFieldListFilter), "country")
    search_fields = ("=country", "=region")
    ordering = ("country", "region", "tax_class", "-starts_on")
    readonly_fields = list_display
    fields = (list_display[:4], list_display[4:])


def numbers_of(customer: Customer) -> Table:
    """A customer's tax numbers, as their page shows them."""
    rows = TaxId.objects.filter(customer=customer).order_by("pk")
    found, more = beginning(rows, customer=customer.pk)
    shown = [
        [cells.link(row, row.value), row.kind, standing(row), cells.instant(row.checked_at)]
        for row in found
    ]
    return Table(TaxId, "Tax numbers", ["Number", "Kind", "Standing", "Checked"], shown, more)
