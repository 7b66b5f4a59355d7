"""Customers: found by anything, told on one page, changed through their own services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from billing import clock
from billing.admin import columns, finding, story, tables
from billing.admin.base import by
from billing.admin.payers import PayerAdmin
from billing.admin.theme import ModelForm, StackedInline, dress
from billing.core import money
from billing.core.errors import InvalidError
from billing.services import customers
from customers import countries, services
from customers.models import BillingDetails, Customer


class CustomerForm(ModelForm):
    """A customer's settings, checked before their service is asked."""

    class Meta:
        model = Customer
        fields = (
            "organization_id",
            "currency",
            "locale",
            "timezone",
            "tax_exemption",
            "metadata",
        )
        help_texts = {
            "tax_exemption": "Why no tax is charged to them, as invoices say it. Empty: it is."
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    def clean_currency(self) -> str:
        """An ISO 4217 code."""
        code = str(self.cleaned_data["currency"]).upper()
        try:
            money.exponent(code)
        except InvalidError as error:
            raise ValidationError(error.detail, code=error.code) from error
        return code

    def clean_timezone(self) -> str:
        """An IANA zone."""
        zone = str(self.cleaned_data["timezone"])
        if zone not in available_timezones():
            raise ValidationError(f"{zone!r} is no IANA time zone.", code="unknown_zone")
        return zone


class BillingDetailsForm(ModelForm):
    """The person or company; their country by its code, since tax goes by it."""

    class Meta:
        model = BillingDetails
        fields = services.DETAILS

    def clean_country(self) -> str:
        """An ISO 3166 code, none, or what integrations left here and nobody touched."""
        typed = str(self.cleaned_data["country"])
        if not typed or typed == self.initial.get("country"):
            return typed
        if not (code := countries.code_of(typed)):
            raise ValidationError("An ISO 3166 code, like “GB”.", code="unknown_country")
        return code


class BillingDetailsInline(StackedInline):
    """The person or company behind a customer; seen by those who may view such details."""

    model = BillingDetails
    form = BillingDetailsForm
    can_delete = False
    max_num = 1
    fields = (
        ("name", "email"),
        ("line1", "line2"),
        ("postal_code", "city"),
        ("state", "country"),
        "phone",
    )


_PERSON: Final = (
    columns.computed("Name", lambda customer: customer.details.name),
    columns.computed("E-mail", lambda customer: customer.details.email),
)
_RECORD: Final = (
    columns.code("anonymous_id"),
    columns.link("test_clock"),
    columns.instant("created_at"),
    "created_by",
    columns.instant("updated_at"),
    "updated_by",
    columns.instant("erased_at"),
)


@admin.register(Customer)
class CustomerAdmin(PayerAdmin):
    """Every customer, and each one's whole story."""

    form = CustomerForm
    inlines = (BillingDetailsInline,)
    list_display = (
        "organization_id",
        "currency",
        columns.computed("Time", lambda row: "test clock" if row.test_clock_id else row.timezone),
        columns.instant("created_at"),
    )
    list_select_related = ("details",)
    list_filter = ("currency", ("test_clock", admin.EmptyFieldListFilter))
    search_fields = ("organization_id",)
    search_help_text = finding.HELP
    ordering = ("-pk",)
    change_form_outer_before_template = "admin/billing/story.html"
    change_form_outer_after_template = None

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """With the person, for those who may view such details."""
        first, *rest = self.list_display
        person = _PERSON if tables.may_view(BillingDetails, request.user) else ()
        return (first, *person, *rest)

    def get_fieldsets(self, request: HttpRequest, obj: Customer | None = None) -> Any:
        """What is set, and what was written down about it."""
        settings = (
            ("organization_id", "currency"),
            ("timezone", "locale"),
            "tax_exemption",
            "metadata",
        )
        sections: list[Any] = [("Settings", {"fields": settings})]
        if obj is not None:
            record = (_RECORD[:2], _RECORD[2:4], _RECORD[4:])
            sections.append(("Record", {"fields": record}))
        return sections

    def get_readonly_fields(
        self, request: HttpRequest, obj: Customer | None = None
    ) -> tuple[Any, ...]:
        """Whom it is for, once it is made, and the record."""
        return () if obj is None else ("organization_id", *_RECORD)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """With details and clock at hand."""
        return Customer.objects.readable()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """By anything an operator may have in hand."""
        return finding.customers(queryset, search_term), False

    def page_context(self, request: HttpRequest, obj: Customer) -> dict[str, Any]:
        """The story, of which each part is for those who may view it."""
        told = story.of(obj, reader=request.user, now=clock.now())
        return {"story": told, "tables": told.tables}

    def save_model(
        self,
        request: HttpRequest,
        obj: Customer,
        form: ModelForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Nothing yet: settings and details are saved together, by one service call."""

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm,
        formsets: Sequence[Any],
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Make or change the customer."""
        changed = _changed(form)
        for formset in formsets:
            for details in formset.forms:
                changed |= _changed(details)
        if change:
            if changed:
                customers.update(form.instance.pk, fields=changed, by=by(request), now=clock.now())
            return
        made = customers.create(
            changed.pop("organization_id"), fields=changed, by=by(request), now=clock.now()
        )
        form.instance.pk = made.pk

    def construct_change_message(
        self,
        request: HttpRequest,
        form: forms.BaseForm,
        formsets: Iterable[Any],
        add: bool = False,  # noqa: FBT001, FBT002  # Django's signature
    ) -> list[dict[str, Any]]:
        """Which fields were changed; never to what."""
        if add:
            return [{"added": {}}]
        filled = [form, *(details for formset in formsets for details in formset.forms)]
        return [{"changed": {"fields": [name for each in filled for name in _changed(each)]}}]


def _changed(form: forms.BaseForm) -> dict[str, Any]:
    """What was entered, and nothing that was left as it was."""
    values: Mapping[str, Any] = getattr(form, "cleaned_data", {})
    return {name: values[name] for name in form.changed_data if name in values}
