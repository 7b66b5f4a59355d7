"""Credit: what customers were given and paid for, and what it was used for."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, columns
from billing.admin.base import BooksAdmin, by
from billing.admin.money_forms import ReasonForm
from billing.admin.tables import Table, beginning
from billing.admin.theme import dialog_action
from billing.core.money import Money
from billing.models import CreditDraw, CreditGrant
from billing.models.credit import GrantKind
from billing.services import grants


def table(rows: QuerySet[CreditGrant], **query: object) -> Table:
    """Grants, newest first, with what is left of each."""
    found, more = beginning(rows.order_by("-created_at", "-pk"), **query)
    return Table(
        CreditGrant,
        "Credit",
        ["Given", "Kind", "Why", "Expires", "#Amount", "#Left"],
        [
            [
                cells.link(row, cells.instant(row.effective_at)),
                cells.status(row.kind),
                row.reason or cells.NOTHING,
                cells.instant(row.expires_at),
                cells.money(row.amount),
                cells.money(row.remaining),
            ]
            for row in found
        ],
        more,
    )


@admin.register(CreditGrant)
class CreditGrantAdmin(BooksAdmin):
    """Each piece of credit; a present can be taken back from here."""

    list_display = (
        columns.instant("effective_at", "given"),
        columns.link("customer"),
        columns.status("kind"),
        columns.money("amount"),
        columns.money("remaining", "left"),
        columns.instant("expires_at", "expires"),
    )
    list_select_related = ("customer",)
    list_filter = ("kind", "currency", ("expires_at", admin.DateFieldListFilter))
    search_fields = ("=customer__organization_id",)
    search_help_text = "Organization, whole"
    ordering = ("-pk",)
    actions_detail = ("void",)
    readonly_fields = (
        columns.link("customer"),
        columns.status("kind"),
        columns.money("amount"),
        columns.money("remaining", "left"),
        columns.instant("effective_at", "given"),
        columns.instant("expires_at", "expires"),
        "priority",
        "reason",
        columns.link("payment"),
        columns.link("invoice"),
        columns.computed("Credit note", lambda row: str(row.credit_note or cells.NOTHING)),
        "created_by",
    )
    fields = (readonly_fields[:4], readonly_fields[4:8], readonly_fields[8:])

    def tables(self, obj: CreditGrant) -> list[Table]:
        """What it was used for."""
        draws = obj.draws.select_related("invoice", "billing_period").order_by("-pk")
        rows = [
            [
                cells.instant(draw.created_at),
                cells.status(draw.kind),
                cells.link(draw.invoice or draw.billing_period),
                cells.money(Money(draw.amount_minor, obj.currency)),
            ]
            for draw in draws
        ]
        return [Table(CreditDraw, "Used", ["When", "As", "For", "#Amount"], rows)]

    def is_offered(self, action: str, obj: CreditGrant) -> bool:
        """What is left of a present."""
        return obj.kind == GrantKind.PROMOTIONAL and obj.remaining_minor > 0

    @dialog_action(
        "Take back",
        "What is left of it is gone. What was used by now is drawn first.",
        icon="undo",
        is_danger=True,
        form=ReasonForm,
    )
    def void(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Take back what is left."""

        def command(grant: CreditGrant) -> str:
            reason = form.cleaned_data["reason"]
            grants.void(grant.pk, by=by(request), reason=reason, now=clock.now())
            return "What was left of the credit is taken back."

        return self.act(request, object_id, command)


@admin.register(CreditDraw)
class CreditDrawAdmin(BooksAdmin):
    """Everything that was taken from credit, or given back to it."""

    list_display = (
        columns.instant("created_at", "when"),
        columns.computed("Customer", lambda row: cells.link(row.grant.customer)),
        columns.status("kind", "as"),
        columns.link("grant"),
        columns.link("invoice"),
        columns.computed("Amount", lambda row: cells.money(_amount(row))),
    )
    list_select_related = ("grant__customer", "invoice")
    list_filter = ("kind",)
    search_fields = ("=grant__customer__organization_id",)
    search_help_text = "Organization, whole"
    ordering = ("-pk",)
    readonly_fields = (*list_display, columns.link("billing_period"), "created_by")
    fields = (readonly_fields[:3], readonly_fields[3:])


def _amount(draw: CreditDraw) -> Money:
    return Money(draw.amount_minor, draw.grant.currency)
