"""Plans: their terms are written by the catalogue's services and superseded, never edited."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, columns, wording
from billing.admin.base import OperatorAdmin, by
from billing.admin.tables import Table
from billing.admin.theme import ModelForm, dialog_action, dress
from billing.core.figures import plain
from plans import services
from plans.models import Meter, Plan, PlanVersion
from plans.terms import (
    Alignment,
    Interval,
    InvalidTermsError,
    PlanTerms,
    Price,
    Proration,
    Tier,
    UsageModel,
    UsageTerms,
)

_PLAIN: Final = ("amount", "interval_count", "trial_days", "first_day_counts")
_FIELD_OF: Final = {"usage": "unit_amount"}  # where a fault of the terms is shown


class PlanForm(ModelForm):
    """How a plan is shown and what it costs. Saving other terms makes a new version."""

    currency = forms.CharField(max_length=3, min_length=3, initial="USD")
    amount = forms.DecimalField(label="Amount per interval", min_value=0, decimal_places=12)
    interval = forms.ChoiceField(choices=[(i.value, i.capitalize()) for i in Interval])
    interval_count = forms.IntegerField(label="Intervals", initial=1, min_value=1)
    alignment = forms.ChoiceField(
        choices=[(a.value, a.capitalize()) for a in Alignment],
        help_text="Whether periods are counted from the start or end with the calendar.",
    )
    trial_days = forms.IntegerField(initial=0, min_value=0)
    meter = forms.ModelChoiceField(Meter.objects.order_by("code"), required=False)
    usage_model = forms.ChoiceField(
        label="Usage price",
        choices=[(m.value, m.capitalize().replace("_", " ")) for m in UsageModel],
    )
    included = forms.DecimalField(
        label="Included units", initial=0, min_value=0, decimal_places=12, required=False
    )
    unit_amount = forms.DecimalField(
        label="Price per unit", initial=0, min_value=0, decimal_places=12, required=False
    )
    tiers = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text="A line for each: up to how many, price per unit, flat amount. “*” has no bound.",
    )
    package_size = forms.DecimalField(min_value=0, decimal_places=12, required=False)
    proration = forms.ChoiceField(
        choices=[(p.value, p.capitalize().replace("_", " ")) for p in Proration]
    )
    first_day_counts = forms.BooleanField(initial=True, required=False)

    class Meta:
        model = Plan
        fields = services.LISTING

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.instance.terms if self.instance.current_id else None
        if self.stored is not None:
            self.initial = {**self.initial, **_initial(self.stored)}
        for field in self.fields.values():
            dress(field)

    def clean_tiers(self) -> tuple[Tier, ...]:
        """The lines as tiers."""
        lines = [line for line in self.cleaned_data["tiers"].splitlines() if line.strip()]
        try:
            return tuple(_tier(line) for line in lines)
        except (ValueError, ArithmeticError):
            raise forms.ValidationError("Two or three figures on each line.") from None

    def clean(self) -> dict[str, Any]:
        """Read the terms as a whole; what this form does not show stays as it was."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.terms = self._terms(cleaned)
            except InvalidTermsError as error:
                for name, sentences in error.errors.items():
                    self.add_error(_FIELD_OF.get(name, name), sentences)
        return cleaned

    def _terms(self, cleaned: dict[str, Any]) -> PlanTerms:
        shown: dict[str, Any] = {name: cleaned[name] for name in _PLAIN} | {
            "currency": cleaned["currency"].upper(),
            "interval": Interval(cleaned["interval"]),
            "alignment": Alignment(cleaned["alignment"]),
            "proration": Proration(cleaned["proration"]),
            "usage": _usage(cleaned) + (self.stored.usage[1:] if self.stored else ()),
        }
        return replace(self.stored, **shown) if self.stored else PlanTerms(**shown)


def _offered(plan: Plan) -> object:
    if plan.retired_at is not None:
        return cells.status("RETIRED")
    if plan.is_disabled:
        return cells.status("DISABLED")
    return cells.status("ON_SALE" if plan.is_public else "BY_INVITATION")


@admin.register(Plan)
class PlanAdmin(OperatorAdmin):
    """The catalogue; what a plan says now, and every version before."""

    form = PlanForm
    list_display = (
        "name",
        "tier",
        columns.computed("Price", lambda plan: wording.price(plan.terms)),
        columns.computed("Offered", _offered),
        "version",
        columns.instant("created_at"),
    )
    list_select_related = ("current",)
    list_filter = ("is_public", "is_disabled", ("retired_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "description", "pa_plan_id")
    ordering = ("tier", "name")
    actions_detail = ("retire",)
    fieldsets = (
        ("Listing", {"fields": (("name", "tier"), "description", ("is_public", "is_disabled"))}),
        ("Recurring charge", {"fields": (("currency", "amount"), ("interval_count", "interval"))}),
        (
            "Usage",
            {
                "fields": (
                    ("meter", "usage_model"),
                    ("included", "unit_amount"),
                    ("tiers", "package_size"),
                )
            },
        ),
        (
            "Periods",
            {"fields": (("alignment", "trial_days"), ("proration", "first_day_counts"))},
        ),
        ("More", {"fields": ("allowed_organizations", "pa_plan_id", "metadata")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form; to those who may not change the plan, what it says."""
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        terms = columns.computed("Terms", lambda plan: wording.paragraph(plan.terms))
        return [(None, {"fields": ("name", "tier", "description", terms, "retired_at")})]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A retired plan stays as it is."""
        is_retired = isinstance(obj, Plan) and obj.retired_at is not None
        return not is_retired and super().has_change_permission(request, obj)

    def tables(self, obj: Plan) -> list[Table]:
        """Every version of the terms, the newest first."""
        versions = PlanVersion.objects.filter(plan=obj).order_by("-number")
        rows = [
            [
                f"v{version.number}",
                wording.paragraph(version.parsed),
                cells.instant(version.created_at),
                version.created_by,
            ]
            for version in versions
        ]
        return [Table(Plan, "Versions", ["Version", "Terms", "Since", "By"], rows)]

    def save_model(
        self,
        request: HttpRequest,
        obj: Plan,
        form: PlanForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Make or change the plan by its service."""
        now = clock.now()
        listing = {
            name: form.cleaned_data[name] for name in services.LISTING if name in form.changed_data
        }
        if change:
            services.update(obj.pk, terms=form.terms, listing=listing, by=by(request), now=now)
            return
        name = listing.pop("name")
        made = services.create(name, terms=form.terms, listing=listing, by=by(request), now=now)
        obj.pk = made.pk

    @dialog_action(
        "Retire",
        "The plan is taken off sale for good. Whoever is subscribed to it stays on it.",
        icon="block",
        is_danger=True,
    )
    def retire(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Take it off sale."""

        def command(plan: Plan) -> str:
            services.retire(plan.pk, by=by(request), now=clock.now())
            return "The plan is retired."

        return self.act(request, object_id, command)

    def is_offered(self, action: str, obj: Plan) -> bool:
        """Only once."""
        return obj.retired_at is None


def _initial(terms: PlanTerms) -> dict[str, Any]:
    stored = terms.to_json()
    shown = {name: stored[name] for name in (*_PLAIN, "currency", "interval")}
    shown |= {"alignment": stored["alignment"], "proration": stored["proration"]}
    for usage in terms.usage[:1]:
        shown |= {
            "meter": Meter.objects.filter(code=usage.meter).first(),
            "usage_model": usage.price.model,
            "included": usage.price.included,
            "unit_amount": usage.price.unit_amount,
            "package_size": usage.price.package_size,
            "tiers": "\n".join(_tier_line(tier) for tier in usage.price.tiers),
        }
    return shown


def _usage(cleaned: dict[str, Any]) -> tuple[UsageTerms, ...]:
    if cleaned["meter"] is None:
        return ()
    price = Price(
        model=UsageModel(cleaned["usage_model"]),
        unit_amount=cleaned["unit_amount"] or Decimal(0),
        included=cleaned["included"] or Decimal(0),
        tiers=cleaned["tiers"],
        package_size=cleaned["package_size"],
    )
    return (UsageTerms(cleaned["meter"].code, price),)


def _tier_line(tier: Tier) -> str:
    bound = "*" if tier.up_to is None else plain(tier.up_to)
    return f"{bound} {plain(tier.unit_amount)} {plain(tier.flat_amount)}"


def _tier(line: str) -> Tier:
    """A line of the form's tiers: bound, price per unit and, if there is one, flat amount."""
    bound, *amounts = line.split()
    unit_amount, flat_amount = (*map(Decimal, amounts), Decimal(0))[:2]
    return Tier(None if bound == "*" else Decimal(bound), unit_amount, flat_amount)
