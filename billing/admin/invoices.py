"""Invoices, in whose name they are written, and their numbers."""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock, tasks
from billing.admin import cells, columns, related
from billing.admin.base import BooksAdmin, OperatorAdmin, by
from billing.admin.tables import Table
from billing.admin.theme import dialog_action
from billing.core import lifecycle
from billing.core.money import Money
from billing.models import (
    Invoice,
    InvoiceLine,
    InvoiceSeries,
    JournalEntry,
    Payment,
    PaymentAttempt,
    Seller,
)
from billing.queries import balances
from billing.services import invoices, payments

_ADDRESS: Final = (
    "name",
    "address",
    "line1",
    "line2",
    "postal_code",
    "city",
    "state",
    "country",
    "tax_number",
)


def _owed(invoice: Invoice) -> object:
    return cells.money(Money(balances.due_on([invoice])[invoice.pk], invoice.currency))


def _subscription(invoice: Invoice) -> object:
    subscription = invoice.subscription
    return cells.link(subscription, subscription.plan_name if subscription else None)


def _party(party: dict[str, str]) -> str:
    """As it was frozen; a draft has none yet."""
    return "\n".join(party[name] for name in _ADDRESS if party.get(name)) or cells.NOTHING


@admin.register(Invoice)
class InvoiceAdmin(BooksAdmin):
    """What customers owe and why; from here it is charged again or taken back."""

    list_display = (
        columns.computed("Number", str),
        columns.link("customer"),
        columns.status(),
        columns.money("total"),
        columns.instant("issued_at"),
        columns.instant("next_charge_at", "next charge"),
    )
    list_select_related = ("customer",)
    list_filter = ("status", "currency", ("number", admin.EmptyFieldListFilter))
    search_fields = ("=number", "customer__organization_id")
    search_help_text = "Number, or a part of the organization"
    ordering = ("-pk",)
    actions_detail = ("charge_again", "cancel")
    readonly_fields = (
        columns.computed("Number", str),
        columns.link("customer"),
        columns.status(),
        columns.money("total"),
        columns.computed("Owed", _owed),
        columns.instant("issued_at"),
        columns.instant("due_at"),
        columns.instant("paid_at"),
        columns.instant("next_charge_at", "next charge"),
        columns.computed("Subscription", _subscription),
        columns.instant("period_start", "for the time from"),
        columns.instant("period_end", "to"),
        columns.money("discount"),
        columns.computed("Seller", lambda invoice: _party(invoice.seller)),
        columns.computed("Buyer", lambda invoice: _party(invoice.buyer)),
        columns.instant("created_at"),
        "created_by",
    )
    fields = (
        readonly_fields[:5],
        (*readonly_fields[5:9], readonly_fields[9]),
        (*readonly_fields[10:15], *readonly_fields[15:]),
    )

    def tables(self, obj: Invoice) -> list[Table]:
        """Its lines, charges, payments and facts."""
        entries = JournalEntry.objects.filter(lines__invoice=obj).distinct()
        return [
            _lines(obj),
            related.attempts(PaymentAttempt.objects.filter(invoice=obj), invoice=obj.pk),
            related.payments(Payment.objects.filter(allocations__invoice=obj)),
            related.entries(entries),
        ]

    def is_offered(self, action: str, obj: Invoice) -> bool:
        """Charging what is owed, canceling what is not paid."""
        if action == "cancel":
            return lifecycle.INVOICE.allows(obj.status, "cancel")
        return obj.status in lifecycle.COLLECTIBLE or obj.status == "DRAFT"

    @dialog_action(
        "Charge again",
        "The total is charged to the customer's default payment method now.",
        icon="credit_card",
    )
    def charge_again(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Charge the default method; a draft is finalized first."""

        def command(invoice: Invoice) -> str:
            attempt = payments.charge(invoice.pk, by=by(request), now=clock.now())
            tasks.collect_soon([attempt.pk])
            return f"A charge of {attempt.amount} is under way."

        return self.act(request, object_id, command)

    @dialog_action(
        "Cancel invoice",
        "Nobody will have to pay this invoice. It keeps its number, and this cannot be undone.",
        icon="cancel",
        is_danger=True,
    )
    def cancel(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Take it back."""

        def command(invoice: Invoice) -> str:
            invoices.cancel(invoice.pk, by=by(request), now=clock.now())
            return "The invoice is canceled."

        return self.act(request, object_id, command)


@admin.register(Seller)
class SellerAdmin(OperatorAdmin):
    """In whose name invoices are written; what is issued keeps what it said."""

    list_display = ("name", "country", "tax_number", "is_default")
    search_fields = ("name",)
    ordering = ("name",)
    fields = (("name", "country", "tax_number"), "address", "is_default")

    def tables(self, obj: Seller) -> list[Table]:
        """Its sequences of numbers."""
        series = InvoiceSeries.objects.filter(seller=obj).order_by("prefix")
        rows = [[cells.link(row, row.prefix), str(row)] for row in series]
        return [Table(InvoiceSeries, "Invoice series", ["Prefix", "Next number"], rows)]


@admin.register(InvoiceSeries)
class InvoiceSeriesAdmin(BooksAdmin):
    """The next number; it moves only with invoices."""

    list_display = ("prefix", columns.computed("Next number", str), columns.link("seller"))
    list_select_related = ("seller",)
    ordering = ("prefix",)
    readonly_fields = (columns.link("seller"), "prefix", columns.computed("Next number", str))
    fields = (readonly_fields,)


def _lines(invoice: Invoice) -> Table:
    lines = InvoiceLine.objects.filter(invoice=invoice).order_by("position")
    rows = [
        [
            line.description,
            line.explanation,
            cells.quantity(line.quantity),
            cells.money(Money(line.amount_minor, invoice.currency)),
        ]
        for line in lines
    ]
    return Table(Invoice, "Lines", ["What", "How it came about", "#Quantity", "#Amount"], rows)
