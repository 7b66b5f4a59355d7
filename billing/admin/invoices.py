"""Invoices, in whose name they are written, and their numbers."""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404

from billing import clock, tasks
from billing.admin import cells, columns, credit_page, dunning, related, returns
from billing.admin.base import BooksAdmin, by
from billing.admin.credit_page import CreditForm, RefundForm
from billing.admin.money_forms import InstalmentsForm
from billing.admin.tables import Table
from billing.admin.theme import dialog_action, file_action, page_action
from billing.core import figures, lifecycle
from billing.core.lifecycle import InvoiceStatus
from billing.core.money import Money
from billing.documents import files
from billing.models import (
    CreditNote,
    Dispute,
    DunningRun,
    Instalment,
    Invoice,
    InvoiceLine,
    JournalEntry,
    Payment,
    PaymentAttempt,
    Refund,
)
from billing.queries import balances
from billing.queries import instalments as agreed
from billing.services import instalments, invoices, payments
from billing.services.credit_notes import CREDITABLE

_ADDRESS: Final = (
    "name",
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
    actions_detail = (
        "pdf",
        "xml",
        "charge_again",
        "agree_instalments",
        "withdraw_instalments",
        "credit",
        "refund",
        "cancel",
    )
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
        columns.money("tax"),
        columns.computed("Notes", lambda invoice: "\n".join(invoice.notes) or cells.NOTHING),
        columns.computed("Seller", lambda invoice: _party(invoice.seller)),
        columns.computed("Buyer", lambda invoice: _party(invoice.buyer)),
        columns.instant("created_at"),
        "created_by",
    )
    fields = (
        readonly_fields[:5],
        readonly_fields[5:10],
        readonly_fields[10:15],
        readonly_fields[15:],
    )

    def tables(self, obj: Invoice) -> list[Table]:
        """Its lines, charges, payments and facts."""
        entries = JournalEntry.objects.filter(lines__invoice=obj).distinct()
        return [
            _lines(obj),
            _instalments(obj),
            related.attempts(PaymentAttempt.objects.filter(invoice=obj), invoice=obj.pk),
            dunning.runs(DunningRun.objects.filter(invoice=obj), invoice=obj.pk),
            related.payments(Payment.objects.filter(allocations__invoice=obj)),
            returns.credit_notes_table(CreditNote.objects.filter(invoice=obj)),
            returns.refunds_table(Refund.objects.filter(credit_note__invoice=obj)),
            returns.disputes_table(Dispute.objects.filter(payment__allocations__invoice=obj)),
            related.entries(entries),
        ]

    def is_offered(self, action: str, obj: Invoice) -> bool:
        """Charging what is owed, canceling what is not paid, giving back what is."""
        if action in {"pdf", "xml"}:
            return obj.is_finalized
        if action == "cancel":
            return lifecycle.INVOICE.allows(obj.status, "cancel")
        is_owed = obj.status in lifecycle.COLLECTIBLE
        if action == "withdraw_instalments":
            return is_owed and obj.instalments.exists()
        if action == "credit":
            return obj.status in CREDITABLE
        if action == "refund":
            return obj.status == InvoiceStatus.PAID
        return is_owed or (action == "charge_again" and obj.status == InvoiceStatus.DRAFT)

    @file_action("PDF", icon="picture_as_pdf")
    def pdf(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """As its customer gets it."""
        return self.hand_out(request, object_id, files.pdf)

    @file_action("XML", icon="code")
    def xml(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """As machines read it."""
        return self.hand_out(request, object_id, files.xml)

    @dialog_action(
        "Charge again",
        "What is due is charged to the customer's default payment method now.",
        icon="credit_card",
    )
    def charge_again(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Charge the default method; a draft is finalized first."""

        def command(invoice: Invoice) -> str:
            attempt = payments.charge(invoice.pk, by=by(request), now=clock.now())
            if attempt is None:
                return "Nothing had to be charged: the invoice is paid."
            tasks.collect_soon([attempt.pk])
            return f"A charge of {attempt.amount} is under way."

        return self.act(request, object_id, command)

    @page_action("Credit", icon="undo")
    def credit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take back all or part of it: what goes where, and then the deed."""
        return self._credit_page(request, object_id, CreditForm)

    @page_action("Refund", icon="currency_exchange")
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give back what was paid."""
        return self._credit_page(request, object_id, RefundForm)

    def _credit_page(
        self, request: HttpRequest, object_id: str, form: type[RefundForm]
    ) -> HttpResponse:
        invoice = get_object_or_404(Invoice.objects.select_related("customer"), pk=object_id)
        return credit_page.answer(self, request, form(invoice, request.POST or None))

    @dialog_action(
        "Pay in instalments",
        "What is owed is split into equal parts, each charged when it is due.",
        icon="event_repeat",
        form=InstalmentsForm,
    )
    def agree_instalments(
        self, request: HttpRequest, form: InstalmentsForm, object_id: str
    ) -> HttpResponse:
        """Agree parts; they replace earlier ones."""

        def command(invoice: Invoice) -> str:
            parts = instalments.agree(invoice.pk, form.rhythm, by=by(request), now=clock.now())
            return f"It is paid in {len(parts)} instalments."

        return self.act(request, object_id, command)

    @dialog_action(
        "Withdraw instalments", "All that is owed is due again.", icon="event_busy", is_danger=True
    )
    def withdraw_instalments(
        self, request: HttpRequest, form: object, object_id: str
    ) -> HttpResponse:
        """Make it due whole again."""

        def command(invoice: Invoice) -> str:
            instalments.withdraw(invoice.pk, by=by(request), now=clock.now())
            return "It is due whole again."

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


_LINE_HEADINGS: Final = [
    "What",
    "How it came about",
    "#Quantity",
    "#Amount",
    "#Discount",
    "Tax",
    "#Tax amount",
]


def _instalments(invoice: Invoice) -> Table:
    parts = agreed.agreed([invoice]).get(invoice.pk, [])
    rows = [
        [cells.instant(part.due_at), cells.money(part.amount), cells.money(part.paid)]
        for part in parts
    ]
    return Table(Instalment, "Instalments", ["Due", "#Amount", "#Paid"], rows)


def _lines(invoice: Invoice) -> Table:
    lines = InvoiceLine.objects.filter(invoice=invoice).order_by("position")
    rows = [
        [
            line.description,
            line.explanation,
            cells.quantity(line.quantity),
            cells.money(line.amount),
            cells.money(line.discount),
            f"{line.tax_category} {figures.plain(line.tax_rate)} %",
            cells.money(line.tax),
        ]
        for line in lines
    ]
    return Table(Invoice, "Lines", _LINE_HEADINGS, rows)
