"""What a payment and a customer's credit look like in bodies (api.md, sections 3 and 6)."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from billing.api.fields import Amount, Answer, Instant, Word, major
from billing.models import Allocation, CreditDraw, CreditGrant, Payment
from billing.models.credit import DrawKind, GrantKind


class InstalmentOutput(Answer):
    """A part of an invoice, due on a day of its own; whoever pays more pays later ones earlier."""

    amount = Amount()
    amount_paid = Amount(source="paid")
    amount_due = Amount(source="left")
    due_at = Instant()


class DrawOutput(Answer):
    """Something taken from credit; negative where it was given back."""

    kind = Word(DrawKind)
    amount = Amount()
    invoice = serializers.UUIDField(allow_null=True)
    billing_period = serializers.UUIDField(allow_null=True)
    created_at = Instant()


@extend_schema_serializer(component_name="Credit")
class CreditOutput(Answer):
    """Credit that was given once. `draws` say what became of it, oldest first.

    It came of a payment, a credit note, an invoice over credit, or of an operator's word.
    """

    id = serializers.UUIDField()
    customer = serializers.UUIDField()
    kind = Word(GrantKind)
    amount = Amount()
    remaining = Amount()
    currency = serializers.CharField()
    priority = serializers.IntegerField(
        help_text="Of grants that expire together, the lowest is drawn first."
    )
    reason = serializers.CharField()
    effective_at = Instant()
    expires_at = Instant(allow_null=True)
    payment = serializers.UUIDField(allow_null=True)
    credit_note = serializers.UUIDField(allow_null=True)
    invoice = serializers.UUIDField(allow_null=True)
    draws = DrawOutput(many=True)
    created_by = serializers.CharField()

    def to_representation(self, grant: CreditGrant) -> dict[str, Any]:
        """With its draws, which are at hand."""
        same = ("kind", "amount", "remaining", "currency", "priority", "reason", "created_by")
        shown = {name: getattr(grant, name) for name in same}
        keys = {
            "id": grant.pk,
            "customer": grant.customer_id,
            "payment": grant.payment_id,
            "credit_note": grant.credit_note_id,
            "invoice": grant.invoice_id,
        }
        times = {"effective_at": grant.effective_at, "expires_at": grant.expires_at}
        draws = [_draw(row, grant.currency) for row in grant.draws.all()]
        return super().to_representation({**shown, **keys, **times, "draws": draws})


class BalanceOutput(Answer):
    """Credit in one currency.

    `available` is what may still be used: less than `remaining` by prepaid usage that nothing was
    drawn for yet, and negative where more was used than there is.
    """

    currency = serializers.CharField()
    remaining = Amount()
    available = Amount()
    expiring_soon = Amount(help_text="What of it expires within 30 days.")


class AllocationOutput(Answer):
    """How much of a payment settled which invoice."""

    invoice = serializers.UUIDField()
    number = serializers.CharField()
    amount = Amount()
    reversed_at = Instant(allow_null=True)


@extend_schema_serializer(component_name="Payment")
class MoneyOutput(Answer):
    """Money that was received. `credits` are what of it became the customer's credit."""

    id = serializers.UUIDField()
    customer = serializers.UUIDField()
    gateway = serializers.CharField()
    amount = Amount()
    currency = serializers.CharField()
    reference = serializers.CharField()
    received_at = Instant()
    reversed_at = Instant(allow_null=True)
    attempt = serializers.UUIDField(allow_null=True, help_text="The charge; null by hand.")
    allocations = AllocationOutput(many=True)
    credits = CreditOutput(many=True)
    created_by = serializers.CharField()

    def to_representation(self, payment: Payment) -> dict[str, Any]:
        """With what it settled, which is at hand."""
        same = ("gateway", "amount", "currency", "reference", "received_at", "reversed_at")
        shown = {
            **{name: getattr(payment, name) for name in same},
            "id": payment.pk,
            "customer": payment.customer_id,
            "attempt": payment.attempt_id,
            "allocations": [_allocation(row, payment) for row in payment.allocations.all()],
            "credits": list(payment.grants.all()),
            "created_by": payment.created_by,
        }
        return super().to_representation(shown)


def payments() -> QuerySet[Payment]:
    """With all that is shown at hand."""
    return Payment.objects.prefetch_related(
        Prefetch("allocations", Allocation.objects.select_related("invoice").order_by("pk")),
        Prefetch("grants", credits_given()),
    )


def credits_given() -> QuerySet[CreditGrant]:
    """With all that is shown at hand."""
    draws = Prefetch("draws", CreditDraw.objects.order_by("pk"))
    return CreditGrant.objects.prefetch_related(draws).order_by("created_at", "pk")


def _draw(row: CreditDraw, currency: str) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "amount": major(row.amount_minor, currency),
        "invoice": row.invoice_id,
        "billing_period": row.billing_period_id,
        "created_at": row.created_at,
    }


def _allocation(row: Allocation, payment: Payment) -> dict[str, Any]:
    return {
        "invoice": row.invoice_id,
        "number": row.invoice.number,
        "amount": major(row.amount_minor, payment.currency),
        "reversed_at": row.reversed_at,
    }
