"""Credit notes and refunds: documents to read, and what a person pays out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from billing import clock, tasks
from billing.admin import calls, cells, columns, payouts, related
from billing.admin.base import BooksAdmin, by
from billing.admin.tables import Table, beginning
from billing.admin.theme import DialogForm, dialog_action, dress, file_action
from billing.core import lifecycle
from billing.core.money import Money
from billing.documents import files
from billing.models import CreditNote, CreditNoteLine, Dispute, JournalEntry, Refund
from billing.services import refunds

_CUSTOMER = columns.link("customer")


def _minor(name: str, title: str) -> Any:
    return columns.computed(
        title, lambda row: cells.money(Money(getattr(row, f"{name}_minor"), row.currency))
    )


@admin.register(CreditNote)
class CreditNoteAdmin(BooksAdmin):
    """What was taken back of invoices, and where it went."""

    list_display = (
        columns.computed("Number", str),
        _CUSTOMER,
        columns.link("invoice"),
        "reason",
        columns.money("total"),
        columns.instant("issued_at"),
    )
    list_select_related = ("customer", "invoice")
    list_filter = ("reason", "currency")
    search_fields = ("=number", "=invoice__number", "customer__organization_id")
    search_help_text = "Number, the invoice's number, or a part of the organization"
    ordering = ("-pk",)
    readonly_fields = (
        columns.computed("Number", str),
        _CUSTOMER,
        columns.link("invoice"),
        "reason",
        columns.money("total"),
        columns.money("tax"),
        _minor("to_due", "Less is owed"),
        _minor("to_credit", "To credit"),
        _minor("to_refund", "Goes back"),
        "note",
        columns.computed("Notes", lambda note: "\n".join(note.notes) or cells.NOTHING),
        columns.computed("Seller", lambda note: note.seller.get("name") or cells.NOTHING),
        columns.computed("Buyer", lambda note: note.buyer.get("name") or cells.NOTHING),
        columns.instant("issued_at"),
        "created_by",
    )
    fields = (readonly_fields[:6], readonly_fields[6:9], readonly_fields[9:])
    actions_detail = ("pdf", "xml")

    @file_action("PDF", icon="picture_as_pdf")
    def pdf(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """As its customer gets it."""
        return self.hand_out(request, object_id, files.pdf)

    @file_action("XML", icon="code")
    def xml(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """As machines read it."""
        return self.hand_out(request, object_id, files.xml)

    def tables(self, obj: CreditNote) -> list[Table]:
        """Its lines, what goes back, and its fact."""
        facts = JournalEntry.objects.filter(source_kind="credit_note", source_id=obj.pk)
        return [
            _lines(obj),
            refunds_table(Refund.objects.filter(credit_note=obj)),
            related.entries(facts),
        ]


class PaidOutForm(DialogForm):
    """How it was paid out."""

    reference = forms.CharField(max_length=255, help_text="What the bank calls it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self.fields["reference"])


@admin.register(Refund)
class RefundAdmin(BooksAdmin):
    """Money that goes back, and what came of it."""

    list_display = (
        columns.instant("created_at", "when"),
        _CUSTOMER,
        columns.link("payment"),
        columns.status(),
        columns.money("amount"),
        "decline_code",
    )
    list_select_related = ("customer", "payment")
    list_filter = (
        "status",
        "is_undecided",
        "currency",
        ("payment__attempt", admin.EmptyFieldListFilter),
    )
    search_fields = ("=external_id", "=customer__organization_id", "=credit_note__number")
    search_help_text = "Gateway's id, organization or credit note's number, whole"
    ordering = ("-pk",)
    actions_detail = ("paid_out", "send_again")
    readonly_fields = (
        _CUSTOMER,
        columns.link("payment"),
        columns.link("credit_note"),
        columns.status(),
        columns.money("amount"),
        columns.instant("created_at"),
        columns.instant("settled_at"),
        "reason",
        "tries",
        columns.instant("sent_at", "first sent"),
        columns.instant("ask_at", "asked about next"),
        "is_undecided",
        columns.code("external_id", "id at the gateway, or the bank"),
        columns.code("id", "key of the refund"),
        "decline_code",
        "decline_message",
        "created_by",
    )
    fields = (
        readonly_fields[:5],
        readonly_fields[5:8],
        readonly_fields[8:12],
        readonly_fields[12:],
    )

    def tables(self, obj: Refund) -> list[Table]:
        """Its facts, and what the gateway said and kept."""
        facts = JournalEntry.objects.filter(source_kind="refund", source_id=obj.pk)
        found = [related.entries(facts), calls.about(obj)]
        if obj.payment.attempt_id is not None and obj.external_id:
            found.append(payouts.about(obj.payment.gateway, obj.external_id))
        return found

    def is_offered(self, action: str, obj: Refund) -> bool:
        """Paying out what nobody else gives back; asking again where no answer came."""
        if action == "paid_out":
            return obj.payment.attempt_id is None and obj.status in lifecycle.OPEN_ATTEMPTS
        return obj.payment.attempt_id is not None and obj.status in lifecycle.UNSENT_ATTEMPTS

    @dialog_action("Paid out", "The money was given back by hand.", icon="done", form=PaidOutForm)
    def paid_out(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        """Take the operator's word for it."""

        def command(refund: Refund) -> str:
            reference = form.cleaned_data["reference"]
            refunds.pay_out(refund.pk, reference=reference, by=by(request), now=clock.now())
            return f"{refund.amount} was paid out: {reference}."

        return self.act(request, object_id, command)

    @dialog_action("Send again", "The gateway is asked again, under the same key.", icon="sync")
    def send_again(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Let a worker ask now instead of at the next sweep."""

        def command(refund: Refund) -> str:
            tasks.refund_soon([refund.pk])
            return "The gateway is being asked."

        return self.act(request, object_id, command)


def credit_notes_table(rows: QuerySet[CreditNote], **query: object) -> Table:
    """What was taken back."""
    found, more = beginning(rows.order_by("-issued_at", "-pk"), **query)
    return Table(
        CreditNote,
        "Credit notes",
        ["Number", "Issued", "Reason", "#Total"],
        [
            [cells.link(row), cells.instant(row.issued_at), row.reason, cells.money(row.total)]
            for row in found
        ],
        more,
    )


def refunds_table(rows: QuerySet[Refund], **query: object) -> Table:
    """What goes back."""
    found, more = beginning(rows.select_related("payment").order_by("-created_at"), **query)
    return Table(
        Refund,
        "Refunds",
        ["When", "Status", "By", "Decline", "#Amount"],
        [
            [
                cells.link(row, cells.instant(row.created_at)),
                cells.status(row.status),
                row.payment.gateway,
                row.decline_message or cells.NOTHING,
                cells.money(row.amount),
            ]
            for row in found
        ],
        more,
    )


def disputes_table(rows: QuerySet[Dispute], **query: object) -> Table:
    """What is contested."""
    found, more = beginning(rows.order_by("-opened_at", "-pk"), **query)
    return Table(
        Dispute,
        "Disputes",
        ["Since", "By", "Status", "Reason", "#Amount"],
        [
            [
                cells.link(row, cells.instant(row.opened_at)),
                row.source,
                cells.status(row.status),
                row.reason or cells.NOTHING,
                cells.money(row.amount),
            ]
            for row in found
        ],
        more,
    )


def _lines(note: CreditNote) -> Table:
    rows = [
        [
            row.description,
            cells.NOTHING if row.quantity is None else cells.quantity(row.quantity),
            cells.money(Money(row.net_minor, note.currency)),
            cells.money(Money(row.tax_minor, note.currency)),
        ]
        for row in CreditNoteLine.objects.filter(credit_note=note).order_by("position")
    ]
    return Table(CreditNote, "Lines", ["What", "#Quantity", "#Net", "#Tax"], rows)
