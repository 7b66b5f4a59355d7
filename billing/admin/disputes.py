"""Disputes: what is contested, what we answer the gateway, and what a person decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from billing import clock, tasks
from billing.admin import calls, cells, columns, form_page, payouts, related
from billing.admin.base import BooksAdmin, by
from billing.admin.form_page import DeedForm
from billing.admin.tables import Table
from billing.admin.theme import dialog_action, page_action
from billing.core.lifecycle import DisputeStatus
from billing.gateways.abilities import Document, Evidence
from billing.models import Dispute, DisputeEvidence, JournalEntry
from billing.models.refund import DisputeSource
from billing.services import disputes, evidence
from billing.services.evidence import LARGEST_FILE, LARGEST_TEXT, TYPES

SOON: Final = timedelta(days=3)


class EvidenceForm(DeedForm):
    """What a dispute is answered with."""

    title = "Submit evidence"
    about = (
        "A dispute is answered once. What you write and attach is told to the gateway, and by it to"
        " the payer's bank, as it is: put nothing about the customer in it that need not be there."
        " The file is not kept here."
    )
    text = forms.CharField(
        label="What happened",
        required=False,
        max_length=LARGEST_TEXT,
        widget=forms.Textarea,
        help_text=f"At most {LARGEST_TEXT} characters.",
    )
    document = forms.FileField(
        label="File",
        required=False,
        max_length=255,
        widget=forms.FileInput(attrs={"accept": ",".join(sorted(TYPES))}),
        help_text=f"PDF, JPEG or PNG, of at most {LARGEST_FILE // 2**20} MB.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].widget.attrs["rows"] = 12

    def clean_document(self) -> UploadedFile[Any] | None:
        """One that is not too large to be read."""
        file: UploadedFile[Any] | None = self.cleaned_data["document"]
        if file is not None and (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError("The file is too large.")
        return file

    @property
    def evidence(self) -> Evidence:
        """What was entered."""
        file = self.cleaned_data["document"]
        documents = () if file is None else (_document(file),)
        return Evidence(self.cleaned_data["text"], documents)


class EvidenceFilter(admin.SimpleListFilter):
    """Whether it has to be answered."""

    title = "evidence"
    parameter_name = "evidence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What can be chosen."""
        return [("soon", "Due within 3 days"), ("given", "Submitted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrowed by the choice."""
        if self.value() == "soon":
            return due_soon(queryset)
        return queryset.filter(_IS_ANSWERED) if self.value() == "given" else queryset


_IS_ANSWERED: Final = Exists(
    DisputeEvidence.objects.filter(dispute=OuterRef("pk"), submitted_at__isnull=False)
)


def due_soon(rows: QuerySet[Dispute]) -> QuerySet[Dispute]:
    """Those whose evidence is due within three days, in real time as gateways live."""
    return rows.filter(
        ~_IS_ANSWERED, status=DisputeStatus.OPEN, evidence_due_at__lte=clock.now() + SOON
    )


@admin.register(Dispute)
class DisputeAdmin(BooksAdmin):
    """What is contested, and who won."""

    list_display = (
        columns.instant("opened_at", "since"),
        columns.link("customer"),
        columns.link("payment"),
        "source",
        columns.status(),
        columns.money("amount"),
        "reason",
        columns.instant("evidence_due_at", "evidence due"),
    )
    list_select_related = ("customer", "payment")
    list_filter = ("status", "source", EvidenceFilter)
    search_fields = ("=external_id", "=customer__organization_id")
    search_help_text = "Gateway's id or organization, whole"
    ordering = ("-pk",)
    actions_detail = ("submit_evidence", "won", "lost")
    readonly_fields = (
        *list_display,
        columns.instant("closed_at"),
        columns.code("external_id", "id at the gateway"),
        "created_by",
    )
    fields = (readonly_fields[:4], readonly_fields[4:7], readonly_fields[7:])

    def tables(self, obj: Dispute) -> list[Table]:
        """What was answered, its facts, and what the gateway kept."""
        facts = JournalEntry.objects.filter(source_kind="dispute", source_id=obj.pk)
        answers = list(obj.evidence.order_by("-pk"))
        found = [_answers(answers), related.entries(facts)]
        if obj.source == DisputeSource.GATEWAY:
            found.append(calls.about(obj, *answers))
            found.append(payouts.about(obj.payment.gateway, obj.external_id))
        return found

    def is_offered(self, action: str, obj: Dispute) -> bool:
        """Answering a gateway; deciding what the customer contests with us."""
        if action == "submit_evidence":
            return evidence.can_submit(obj)
        return obj.source == DisputeSource.CUSTOMER and obj.status == DisputeStatus.OPEN

    @page_action("Submit evidence", icon="upload_file")
    def submit_evidence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the gateway."""
        dispute = get_object_or_404(Dispute, pk=object_id)
        form = EvidenceForm(request.POST or None, request.FILES or None)

        def command() -> tuple[Dispute, str]:
            found = evidence.submit(dispute.pk, form.evidence, by=by(request), now=clock.now())
            return found, "The evidence is submitted."

        back = cells.page_of(Dispute, dispute.pk)
        return form_page.answer(self, request, form, command, back=back)

    @dialog_action(
        "Dispute won", "The invoice is paid as before, and nothing goes back.", icon="gavel"
    )
    def won(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """It was right to charge."""
        return self._decide(request, object_id, DisputeStatus.WON)

    @dialog_action(
        "Dispute lost",
        "We give in: all that paid the invoice goes back, and this cannot be undone.",
        icon="undo",
        is_danger=True,
    )
    def lost(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Give in."""
        return self._decide(request, object_id, DisputeStatus.LOST)

    def _decide(self, request: HttpRequest, object_id: str, status: DisputeStatus) -> HttpResponse:
        def command(dispute: Dispute) -> str:
            _, found = disputes.decide(dispute.pk, status, by=by(request), now=clock.now())
            tasks.refund_soon([refund.pk for refund in found])
            return f"The dispute over {dispute.amount} is {status.lower()}."

        return self.act(request, object_id, command)


def _document(file: UploadedFile[Any]) -> Document:
    return Document(file.name or "file", file.content_type or "", file.read())


def _answers(rows: list[DisputeEvidence]) -> Table:
    """What was answered; of files, what is kept."""
    shown = [
        [
            cells.instant(row.created_at),
            cells.instant(row.submitted_at),
            row.created_by,
            row.text or cells.NOTHING,
            cells.document(row.documents) if row.documents else cells.NOTHING,
        ]
        for row in rows
    ]
    headers = ["Written", "Submitted", "By", "Text", "Files"]
    return Table(Dispute, "Evidence", headers, shown)
