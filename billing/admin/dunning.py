"""Dunning: the policies, and what was done by them about which invoice."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, columns
from billing.admin.base import BooksAdmin, OperatorAdmin, by
from billing.admin.policy_form import PolicyForm
from billing.admin.tables import Table, beginning
from billing.admin.theme import DialogForm, dialog_action, dress
from billing.core.dunning import PLACEHOLDERS, DunningStatus
from billing.models import DunningNotice, DunningPolicy, DunningRun
from billing.services import dunning, dunning_policies
from billing.services.dunning_policies import Use

_OFFERED: Final = {"stop": DunningStatus.RUNNING, "resume": DunningStatus.STOPPED}


def _days(policy: DunningPolicy) -> str:
    return ", ".join(map(str, policy.retry_after_days)) or cells.NOTHING


def _plans(policy: DunningPolicy) -> str:
    return ", ".join(use.plan.name for use in policy.plans.all()) or cells.NOTHING


def _end(policy: DunningPolicy) -> str:
    return f"{policy.get_final_act_display()} after {policy.final_after_days} days"


def _shown_notices(policy: DunningPolicy) -> object:
    return cells.document(policy.notices)


@admin.register(DunningPolicy)
class DunningPolicyAdmin(OperatorAdmin):
    """How invoices are dunned. Runs that have begun keep their terms."""

    form = PolicyForm
    list_display = (
        "name",
        columns.computed("Charged again after days", _days),
        "grace_days",
        columns.computed("Notices", lambda policy: len(policy.notices)),
        columns.computed("In the end", _end),
        columns.computed("Plans", _plans),
        "is_default",
    )
    search_fields = ("name",)
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": (("name", "is_default"), "plans")}),
        ("Charges and access", {"fields": (("days", "grace_days"),)}),
        ("The end", {"fields": (("final_act", "final_after_days"),)}),
    )
    shown = (
        "name",
        "is_default",
        columns.computed("Plans", _plans),
        columns.computed("Charged again after days", _days),
        "grace_days",
        columns.computed("Notices", _shown_notices),
        columns.computed("In the end", _end),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DunningPolicy]:
        """With the plans at hand."""
        return DunningPolicy.objects.prefetch_related("plans__plan")

    def get_fieldsets(self, request: HttpRequest, obj: DunningPolicy | None = None) -> Any:
        """The form; to those who may not change it, what it says."""
        if self._may_write(request, obj):
            return super().get_fieldsets(request, obj)
        return [(None, {"fields": self.shown})]

    def get_readonly_fields(
        self, request: HttpRequest, obj: DunningPolicy | None = None
    ) -> tuple[Any, ...]:
        """All of it, for them."""
        return () if self._may_write(request, obj) else self.shown

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With the rows of the notices."""
        more = {
            "is_editable": self._may_write(request, context["original"]),
            "placeholders": [f"{{{name}}}" for name in PLACEHOLDERS],
        }
        return super().render_change_form(request, {**context, **more}, *args, **kwargs)

    def save_model(
        self,
        request: HttpRequest,
        obj: DunningPolicy,
        form: PolicyForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Make or change it by its service."""
        use = Use(
            is_default=form.cleaned_data["is_default"],
            plans=[plan.pk for plan in form.cleaned_data["plans"]],
        )
        now = clock.now()
        obj.name = form.policy.name
        if change:
            dunning_policies.change(obj.pk, form.policy, by=by(request), now=now, use=use)
            return
        obj.pk = dunning_policies.create(form.policy, by=by(request), now=now, use=use).pk

    def _may_write(self, request: HttpRequest, obj: DunningPolicy | None) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, obj)


class StopForm(DialogForm):
    """Why a customer is left alone."""

    note = forms.CharField(label="Why", max_length=255, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self.fields["note"])


@admin.register(DunningRun)
class DunningRunAdmin(BooksAdmin):
    """What was done about each invoice that was not paid; from here it is stopped."""

    list_display = (
        columns.link("invoice"),
        columns.link("customer"),
        columns.status(),
        "reason",
        columns.instant("started_at", "since"),
        columns.instant("due_at", "next"),
        columns.computed("Charged again", lambda run: cells.instant(run.invoice.next_charge_at)),
        "policy_name",
        "note",
    )
    list_select_related = ("invoice", "customer")
    list_filter = (
        "status",
        "reason",
        "invoice__status",
        ("note", admin.EmptyFieldListFilter),
    )
    search_fields = ("=invoice__number", "customer__organization_id", "policy_name")
    search_help_text = "Invoice, policy, or a part of the organization"
    ordering = ("-pk",)
    actions_detail = ("stop", "resume")
    readonly_fields = (
        columns.link("invoice"),
        columns.link("customer"),
        columns.status(),
        "reason",
        columns.instant("started_at", "since"),
        columns.instant("due_at", "next notice, or the end"),
        columns.computed("Charged again", lambda run: cells.instant(run.invoice.next_charge_at)),
        columns.instant("ended_at"),
        "ended_by",
        "note",
        "policy_name",
        columns.document("terms"),
    )
    fields = (
        readonly_fields[:4],
        readonly_fields[4:7],
        readonly_fields[7:10],
        readonly_fields[10:],
    )

    def tables(self, obj: DunningRun) -> list[Table]:
        """What the customer was told."""
        notices = DunningNotice.objects.filter(run=obj).order_by("position")
        headers = ["Given", "Mailed", "Subject", "Text"]
        rows = [
            [cells.instant(row.created_at), cells.instant(row.mailed_at), row.subject, row.text]
            for row in notices
        ]
        return [Table(DunningRun, "Notices", headers, rows)]

    def is_offered(self, action: str, obj: DunningRun) -> bool:
        """Stopping what runs, resuming what was stopped."""
        return obj.status == _OFFERED[action]

    @dialog_action(
        "Stop",
        "Nothing more is done about this invoice by itself: no charge, no notice, no end."
        " It stays owed.",
        icon="pause_circle",
        form=StopForm,
    )
    def stop(self, request: HttpRequest, form: StopForm, object_id: str) -> HttpResponse:
        """Leave the customer alone about it."""

        def command(run: DunningRun) -> str:
            note = form.cleaned_data["note"]
            dunning.stop(run.pk, by=by(request), now=clock.now(), note=note)
            return "Dunning is stopped."

        return self.act(request, object_id, command)

    @dialog_action(
        "Resume",
        "Dunning goes on where it stood; the days in between do not count.",
        icon="play_circle",
    )
    def resume(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Go on."""

        def command(run: DunningRun) -> str:
            dunning.resume(run.pk, by=by(request), now=clock.now())
            return "Dunning goes on."

        return self.act(request, object_id, command)


def runs(rows: QuerySet[DunningRun], **query: object) -> Table:
    """What was done about unpaid invoices, newest first, for a customer's or an invoice's page."""
    found, more = beginning(rows.select_related("invoice").order_by("-pk"), **query)
    return Table(
        DunningRun,
        "Dunning",
        ["Invoice", "Status", "Since", "Next", "Charged again", "Ended", "Note"],
        [
            [
                cells.link(row, row.invoice),
                cells.status(row.status),
                cells.instant(row.started_at),
                cells.instant(row.due_at),
                cells.instant(row.invoice.next_charge_at),
                cells.instant(row.ended_at),
                row.note or cells.NOTHING,
            ]
            for row in found
        ],
        more,
    )
