"""What credit notes, refunds and disputes look like in bodies (api.md, section 6)."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from billing.api.fields import Amount, Answer, Exact, Instant, Word
from billing.api.invoice_shapes import TaxOutput, stored_tax
from billing.api.party_shapes import BuyerOutput, SellerOutput
from billing.core.lifecycle import AttemptStatus, DisputeStatus
from billing.core.money import Money
from billing.models import CreditNote, CreditNoteLine, Dispute, DisputeEvidence, Refund
from billing.models.credit_note import CreditReason
from billing.models.refund import DisputeSource

_SAID: Final = ("number", "reason", "note", "currency", "tax", "total", "seller", "buyer", "notes")


class CreditNoteLineOutput(Answer):
    """What is taken back of a line of the invoice; of a credit on it, negative."""

    invoice_line = serializers.UUIDField(source="invoice_line_id")
    description = serializers.CharField()
    quantity = Exact(allow_null=True)
    net = Amount(help_text="Without tax.")
    tax = Amount()


@extend_schema_serializer(component_name="Refund")
class RefundOutput(Answer):
    """Money of a payment that goes back by the way it came.

    `created`, `sending`, `unknown` and `processing` are under way. One of a payment that came
    another way than through a gateway is `created` until an operator has paid it out. One that
    `failed` is the customer's credit.
    """

    id = serializers.UUIDField()
    customer = serializers.UUIDField(source="customer_id")
    payment = serializers.UUIDField(source="payment_id")
    credit_note = serializers.UUIDField(source="credit_note_id", allow_null=True)
    gateway = serializers.CharField(source="payment.gateway")
    amount = Amount()
    currency = serializers.CharField()
    status = Word(AttemptStatus)
    reason = serializers.CharField()
    reference = serializers.CharField(
        source="external_id", help_text="What the gateway, or the bank, calls it."
    )
    decline_code = serializers.CharField()
    decline_message = serializers.CharField()
    created_at = Instant()
    settled_at = Instant(allow_null=True)
    version = serializers.IntegerField()


@extend_schema_serializer(component_name="CreditNote")
class CreditNoteOutput(Answer):
    """Takes back all or part of a finalized invoice. Money is in `currency`.

    `total` = `to_due` (less is owed) + `to_credit` (the customer's credit) + `to_refund`.
    """

    id = serializers.UUIDField()
    number = serializers.CharField()
    invoice = serializers.UUIDField()
    invoice_number = serializers.CharField()
    customer = serializers.UUIDField()
    reason = Word(CreditReason)
    note = serializers.CharField()
    currency = serializers.CharField()
    lines = CreditNoteLineOutput(many=True)
    tax = Amount()
    taxes = TaxOutput(many=True)
    total = Amount()
    to_due = Amount()
    to_credit = Amount()
    to_refund = Amount()
    refunds = RefundOutput(many=True)
    seller = SellerOutput()
    buyer = BuyerOutput()
    notes: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=serializers.CharField(), help_text="Sentences that law asks for."
    )
    issued_at = Instant()
    created_by = serializers.CharField()

    def to_representation(self, note: CreditNote) -> dict[str, Any]:
        """With its lines and refunds, which are at hand."""
        code = note.currency
        shown = {
            **{name: getattr(note, name) for name in _SAID},
            "id": note.pk,
            "invoice": note.invoice_id,
            "invoice_number": note.invoice.number,
            "customer": note.customer_id,
            "lines": [_line(row, code) for row in note.lines.all()],
            "taxes": [stored_tax(row, code) for row in note.tax_totals],
            "to_due": Money(note.to_due_minor, code),
            "to_credit": Money(note.to_credit_minor, code),
            "to_refund": Money(note.to_refund_minor, code),
            "refunds": list(note.refunds.all()),
            "issued_at": note.issued_at,
            "created_by": note.created_by,
        }
        return super().to_representation(shown)


class ProofOutput(Answer):
    """A file that was handed on to the gateway. It is not kept here; its SHA-256 digest is."""

    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()


class EvidenceOutput(Answer):
    """What a dispute was answered with."""

    created_at = Instant()
    submitted_at = Instant(allow_null=True, help_text="Null: the gateway has not taken it.")
    text = serializers.CharField()
    documents = ProofOutput(many=True)


@extend_schema_serializer(component_name="Dispute")
class DisputeOutput(Answer):
    """A payment that is contested: by the customer with us, or by their bank at the gateway.

    A gateway decides its own; an operator decides those of customers.
    """

    id = serializers.UUIDField()
    customer = serializers.UUIDField(source="customer_id")
    payment = serializers.UUIDField(source="payment_id")
    source = Word(DisputeSource)  # type: ignore[assignment]  # the contract's word, and DRF's
    status = Word(DisputeStatus)
    amount = Amount()
    currency = serializers.CharField()
    reason = serializers.CharField()
    reference = serializers.CharField(source="external_id", help_text="The gateway's own id.")
    opened_at = Instant()
    closed_at = Instant(allow_null=True)
    evidence_due_at = Instant(
        allow_null=True, help_text="Until when evidence is taken; null: none is awaited."
    )
    evidence = EvidenceOutput(many=True, help_text="Oldest first; the gateway takes one of them.")
    version = serializers.IntegerField()


def credit_notes() -> QuerySet[CreditNote]:
    """With everything that is shown at hand."""
    rows = CreditNote.objects.select_related("invoice")
    return rows.prefetch_related(
        Prefetch("lines", CreditNoteLine.objects.order_by("position")),
        Prefetch("refunds", refunds().order_by("pk")),
    )


def refunds() -> QuerySet[Refund]:
    """With everything that is shown at hand."""
    return Refund.objects.select_related("payment")


def disputes() -> QuerySet[Dispute]:
    """With everything that is shown at hand."""
    given = Prefetch("evidence", DisputeEvidence.objects.order_by("created_at", "pk"))
    return Dispute.objects.select_related("payment").prefetch_related(given)


def _line(row: CreditNoteLine, code: str) -> dict[str, Any]:
    return {
        "invoice_line_id": row.invoice_line_id,
        "description": row.description,
        "quantity": row.quantity,
        "net": Money(row.net_minor, code),
        "tax": Money(row.tax_minor, code),
    }
