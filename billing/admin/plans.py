"""Plans: their terms are written by the catalogue's services and superseded, never edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import URLPattern, path

from billing import clock
from billing.admin import cells, columns, plan_preview, wording
from billing.admin.base import OperatorAdmin, by
from billing.admin.plan_form import PlanForm
from billing.admin.tables import Table
from billing.admin.theme import DialogForm, dialog_action
from billing.queries import retirement
from plans import services
from plans.models import Plan, PlanVersion


class RetireForm(DialogForm):
    """The question, with whom it would hit."""

    form_before_template = "admin/plans/plan/retirement.html"

    def get_before_template_context(self, request: HttpRequest, object_id: Any) -> dict[str, Any]:
        """How many subscriptions, and how many changes to come."""
        return {"impact": retirement.impact(object_id)}


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
    compressed_fields = False
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
        (
            "Recurring charge",
            {"fields": (("currency", "amount"), ("interval_count", "interval"), "billed")},
        ),
        ("Quantity", {"fields": (("quantity_unit", "minimum_quantity"),)}),
        ("Minimum", {"fields": ("minimum",)}),
        ("Periods", {"fields": (("alignment", "proration"), "first_day_counts")}),
        ("Tax and credit", {"fields": (("tax_class", "is_tax_included"), "is_prepaid")}),
        ("Trial", {"fields": (("trial_days", "trial_usage"), "trial_needs_method")}),
        (
            "Changes",
            {
                "fields": (
                    ("upgrade_when", "upgrade_charge"),
                    ("downgrade_when", "downgrade_charge"),
                ),
                "description": "What holds where a customer's request does not say.",
            },
        ),
        ("More", {"fields": ("allowed_organizations", "pa_plan_id", "metadata")}),
    )

    def get_urls(self) -> list[URLPattern]:
        """With the preview's."""
        preview = self.admin_site.admin_view(self.preview)
        return [path("preview/", preview, name="plans_plan_preview"), *super().get_urls()]

    def preview(self, request: HttpRequest) -> HttpResponse:
        """What the plan in a form would cost: a part of a page, for the form's script."""
        if not (self.has_add_permission(request) or self.has_act_permission(request)):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        shown = {"sheets": plan_preview.sheets(PlanForm(request.POST))}
        return render(request, "admin/plans/plan/sheets.html", shown)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form with the prices of what it says."""
        obj = context["original"]
        may_write = (
            self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        )
        shown: dict[str, Any] = {"is_editable": may_write}
        if may_write:
            shown["sheets"] = plan_preview.sheets(context["adminform"].form)
        return super().render_change_form(request, {**context, **shown}, *args, **kwargs)

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
            services.update(
                obj.pk, terms=form.terms, listing=listing, by=by(request), now=now, seen=obj
            )
            return
        name = listing.pop("name")
        made = services.create(name, terms=form.terms, listing=listing, by=by(request), now=now)
        obj.pk = made.pk

    @dialog_action(
        "Retire",
        "The plan is taken off sale for good. Whoever is subscribed to it stays on it.",
        icon="block",
        is_danger=True,
        form=RetireForm,
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
