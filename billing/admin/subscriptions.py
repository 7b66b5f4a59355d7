"""Subscriptions and their periods, as the engine wrote them."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, columns, related, wording
from billing.admin.base import BooksAdmin, by
from billing.admin.tables import Table, beginning
from billing.admin.theme import dialog_action
from billing.models import BillingPeriod, Invoice, Subscription, UsageTotal
from billing.services import cycle

_CUSTOMER = columns.link("customer")


@admin.register(Subscription)
class SubscriptionAdmin(BooksAdmin):
    """Who is on which plan, and on which terms."""

    list_display = (
        columns.computed("Plan", lambda row: row.plan_name),
        _CUSTOMER,
        columns.status(),
        "quantity",
        columns.instant("created_at", "since"),
        columns.instant("due_at", "next due"),
    )
    list_select_related = ("customer",)
    list_filter = ("status", "billed_by", ("stalled_reason", admin.EmptyFieldListFilter))
    actions_detail = ("resume",)
    search_fields = ("plan_name", "customer__organization_id", "=sub_id")
    search_help_text = "Plan, organization, payment provider's id"
    ordering = ("-pk",)
    readonly_fields = (
        _CUSTOMER,
        columns.computed(
            "Plan",
            lambda row: cells.link(
                row.plan_version.plan, f"{row.plan_name}, version {row.plan_version.number}"
            ),
        ),
        columns.status(),
        "quantity",
        columns.computed("Terms", lambda row: wording.paragraph(row.plan_terms)),
        columns.instant("trial_start", "trial from"),
        columns.instant("trial_end", "trial ends"),
        columns.instant("billing_anchor", "billed from"),
        columns.instant("due_at", "next due"),
        columns.instant("past_due_at", "past due since"),
        "stalled_reason",
        "billed_by",
        columns.code("sub_id", "payment provider's id"),
        columns.instant("created_at"),
        "created_by",
    )
    fields = (
        readonly_fields[:4],
        readonly_fields[4],
        readonly_fields[5:8],
        readonly_fields[8:11],
        readonly_fields[11:13],
        readonly_fields[13:],
    )

    @dialog_action(
        "Let it go on",
        "The next billing run tries it again. Mend what the reason names before.",
        icon="play_arrow",
    )
    def resume(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Let the cycle take it up that set it aside."""

        def command(subscription: Subscription) -> str:
            cycle.resume(subscription.pk, by=by(request), now=clock.now())
            return "The next billing run takes it up."

        return self.act(request, object_id, command)

    def is_offered(self, action: str, obj: Subscription) -> bool:
        """Only for one that was set aside."""
        return bool(obj.stalled_reason)

    def tables(self, obj: Subscription) -> list[Table]:
        """Its periods and invoices."""
        own = {"subscription": obj.pk}
        return [
            related.periods(BillingPeriod.objects.filter(**own), **own),
            related.invoices(Invoice.objects.filter(**own), **own),
        ]


@admin.register(BillingPeriod)
class BillingPeriodAdmin(BooksAdmin):
    """What is billed at once, and what was used in it."""

    list_display = (
        columns.instant("starts_at", "from"),
        columns.instant("ends_at", "to"),
        "kind",
        columns.computed("Plan", lambda row: row.subscription.plan_name),
        _CUSTOMER,
        columns.instant("closed_at"),
    )
    list_select_related = ("customer", "subscription")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    search_fields = ("customer__organization_id",)
    search_help_text = "Organization"
    ordering = ("-pk",)
    readonly_fields = (
        _CUSTOMER,
        columns.computed(
            "Plan", lambda row: cells.link(row.subscription, row.subscription.plan_name)
        ),
        "kind",
        columns.instant("starts_at", "from"),
        columns.instant("ends_at", "to"),
        columns.instant("closed_at"),
        columns.computed("Share of the whole price", lambda row: str(row.share)),
        columns.computed("Meters", lambda row: ", ".join(row.meters) or cells.NOTHING),
        columns.computed("Invoice", lambda row: cells.link(getattr(row, "invoice", None))),
    )
    fields = (readonly_fields[:3], readonly_fields[3:6], readonly_fields[6:])

    def tables(self, obj: BillingPeriod) -> list[Table]:
        """What each meter counted."""
        rows, more = beginning(
            UsageTotal.objects.filter(period=obj).select_related("meter").order_by("meter__code"),
            period=obj.pk,
        )
        headers = ["Meter", "#Counted", "#Late, not billed", "State"]
        cells_of = [
            [
                cells.link(row, row.meter.code),
                cells.quantity(row.quantity),
                cells.quantity(row.late_quantity),
                "closed" if row.is_closed else "open",
            ]
            for row in rows
        ]
        return [Table(UsageTotal, "Usage", headers, cells_of, more)]
