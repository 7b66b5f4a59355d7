"""What an invoice looks like in bodies (api.md, section 6)."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from billing.api.fields import (
    Amount,
    Answer,
    Exact,
    Instant,
    Neutral,
    Strict,
    Text,
    Word,
    currency,
    major,
)
from billing.core import figures
from billing.core.invoicing import Line, LineKind
from billing.core.lifecycle import InvoiceStatus
from billing.core.money import Money, exponent
from billing.core.proration import Share
from billing.models import Allocation, Invoice, InvoiceLine
from billing.queries import balances


class ItemInput(Strict):
    """One line by hand: quantity × unit amount, rounded once."""

    description = Text(max_length=500)
    quantity = Exact()
    unit_amount = Exact(allow_negative=True)


class InvoiceInput(Strict):
    """A draft."""

    customer = serializers.UUIDField()
    currency = Text(validators=[currency])
    items: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ItemInput(), allow_empty=False, max_length=1000
    )
    due_at = Instant(
        required=False, allow_null=True, help_text="Null: 14 days after it gets its number."
    )
    idempotency_key = Text(
        required=False,
        allow_null=True,
        max_length=255,
        help_text="Instead of the header `Idempotency-Key`.",
    )


class ShareOutput(Answer):
    """`used` of `whole` days or seconds."""

    used = serializers.IntegerField()
    whole = serializers.IntegerField()
    unit = serializers.CharField()


class TierShareOutput(Answer):
    """What one tier contributed to a line; nothing of it is rounded."""

    up_to = serializers.CharField(allow_null=True)
    quantity = serializers.CharField()
    unit_amount = serializers.CharField()
    flat_amount = serializers.CharField()
    package_size = serializers.CharField(required=False, allow_null=True)
    amount = serializers.CharField()


class LineOutput(Answer):
    """What, how many, at which rate, how much, and how that came about.

    `amount` is before discounts, `discount` what coupons take off it; a credit is negative.
    """

    kind = Word(LineKind)
    description = serializers.CharField()
    quantity = Exact()
    unit_amount = Exact(allow_null=True)
    amount = Amount()
    discount = Amount()
    explanation = serializers.CharField()
    period_start = Instant(allow_null=True)
    period_end = Instant(allow_null=True)
    meter = serializers.CharField(allow_null=True)
    component = serializers.CharField(
        allow_null=True, help_text="The meter, and its filter where the plan has several prices."
    )
    tiers = TierShareOutput(many=True)
    tax_rate = Neutral(None)
    tax_category = Neutral(None)
    proration = ShareOutput(allow_null=True)


class PaymentOutput(Answer):
    """A payment, and how much of it settles this invoice."""

    id = serializers.UUIDField()
    gateway = serializers.CharField()
    amount = Amount()
    currency = serializers.CharField()
    received_at = Instant()


class SellerOutput(Answer):
    """In whose name; empty while it is a draft."""

    name = serializers.CharField(required=False)
    address = serializers.CharField(required=False)
    country = serializers.CharField(required=False)
    tax_number = serializers.CharField(required=False)


class BuyerOutput(Answer):
    """To whom, as it was when the invoice was finalized; empty while it is a draft."""

    customer = serializers.UUIDField(required=False)
    organization_id = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    line1 = serializers.CharField(required=False)
    line2 = serializers.CharField(required=False)
    city = serializers.CharField(required=False)
    state = serializers.CharField(required=False)
    postal_code = serializers.CharField(required=False)
    country = serializers.CharField(required=False)


@extend_schema_serializer(component_name="Invoice")
class InvoiceOutput(Answer):
    """What a customer owes and why. Money is in `currency`."""

    id = serializers.UUIDField()
    number = serializers.CharField(allow_null=True)
    status = Word(InvoiceStatus)
    customer = serializers.UUIDField()
    subscription = serializers.UUIDField(allow_null=True)
    currency = serializers.CharField()
    lines = LineOutput(many=True)
    subtotal = Amount()
    discount = Amount()
    tax = Amount()
    total = Amount()
    amount_paid = Amount()
    amount_due = Amount()
    seller = SellerOutput()
    buyer = BuyerOutput()
    issued_at = Instant(allow_null=True)
    due_at = Instant(allow_null=True)
    paid_at = Instant(allow_null=True)
    period_start = Instant(allow_null=True)
    period_end = Instant(allow_null=True)
    payments = PaymentOutput(many=True)
    credit_notes = Neutral([])
    version = serializers.IntegerField()
    created_at = Instant()

    def to_representation(self, invoice: Invoice) -> dict[str, Any]:
        """Sums come from the journal and the allocations; `context["due"]` has what is owed."""
        lines = list(invoice.lines.all())
        allocations = list(invoice.allocations.all())
        code = invoice.currency
        same = ("number", "status", "currency", "seller", "buyer", "issued_at", "due_at")
        rest = ("paid_at", "version", "created_at", "total", "period_start", "period_end")
        shown = {
            **{name: getattr(invoice, name) for name in (*same, *rest)},
            "id": invoice.pk,
            "customer": invoice.customer_id,
            "subscription": invoice.subscription_id,
            "lines": [stored_line(line) for line in lines],
            "subtotal": invoice.subtotal,
            "discount": invoice.discount,
            "tax": Money.zero(code),
            "amount_paid": Money(sum(row.amount_minor for row in allocations), code),
            "amount_due": _due(invoice, self.context["due"][invoice.pk]),
            "payments": [_payment(row) for row in allocations],
        }
        return super().to_representation(shown)


def readable() -> QuerySet[Invoice]:
    """With everything that is shown at hand, in as many queries for a hundred as for one."""
    return Invoice.objects.prefetch_related(
        Prefetch("lines", InvoiceLine.objects.order_by("position")),
        Prefetch("allocations", Allocation.objects.select_related("payment").order_by("pk")),
    )


def show(invoices: list[Invoice]) -> list[dict[str, Any]]:
    """Invoices as they are answered."""
    return InvoiceOutput.all_of(invoices, due=balances.due_on(invoices))


def _due(invoice: Invoice, owed_minor: int) -> Money:
    """What is owed by the journal; of a draft, which is not in it yet, what it will ask for."""
    if invoice.status == InvoiceStatus.DRAFT:
        return invoice.total
    return Money(owed_minor, invoice.currency)


def stored_line(line: InvoiceLine) -> dict[str, Any]:
    """What is shown of a line."""
    times = {"period_start": line.period_start, "period_end": line.period_end}
    return {**_shown(line), **times, "quantity": line.quantity, "tiers": line.tiers}


def foreseen_line(line: Line) -> dict[str, Any]:
    """What would be shown of a line that is only foreseen."""
    return {
        **_shown(line),
        "period_start": line.period.start if line.period else None,
        "period_end": line.period.end if line.period else None,
        "quantity": figures.stored(line.quantity),
        "tiers": [share.to_json() for share in line.tiers],
    }


def _shown(line: InvoiceLine | Line) -> dict[str, Any]:
    unit = line.unit_amount
    return {
        "kind": line.kind,
        "description": line.description,
        "unit_amount": None if unit is None else figures.rate(unit, exponent(line.amount.currency)),
        "amount": line.amount,
        "discount": line.discount,
        "explanation": line.explanation,
        "meter": line.meter or None,
        "component": line.component or None,
        "proration": _share(line.share),
    }


def _share(share: Share | None) -> dict[str, Any] | None:
    """A share of a whole interval; nothing where it is the whole."""
    if share is None or share.is_whole:
        return None
    return {"used": share.used, "whole": share.whole, "unit": share.unit}


def _payment(row: Allocation) -> dict[str, Any]:
    return {
        "id": row.payment_id,
        "gateway": row.payment.gateway,
        "amount": major(row.amount_minor, row.payment.currency),
        "currency": row.payment.currency,
        "received_at": row.payment.received_at,
    }
