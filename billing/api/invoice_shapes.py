"""What an invoice looks like in bodies (api.md, section 6)."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from billing.api.fields import (
    Amount,
    Answer,
    Exact,
    Instant,
    Strict,
    Text,
    Word,
    currency,
    major,
)
from billing.api.party_shapes import BuyerOutput, SellerOutput
from billing.api.payment_shapes import InstalmentOutput
from billing.core import figures, references
from billing.core.invoicing import Line, LineKind
from billing.core.lifecycle import InvoiceStatus
from billing.core.money import Money, exponent
from billing.core.proration import Share
from billing.core.tax_policies import STANDARD
from billing.core.taxes import TaxCategory, TaxTotal
from billing.models import Allocation, CreditNote, Invoice, InvoiceLine
from billing.models.invoice import InvoicePurpose
from billing.queries import balances, instalments
from billing.services import drafting

_CATEGORIES: Final = [category.value for category in TaxCategory]
TAX_CLASS: Final = (
    "Which rate of a place it bears: `standard`, `reduced`, `super_reduced`, `zero`, `exempt`."
)


class ItemInput(Strict):
    """One line by hand: quantity × unit amount, rounded once."""

    description = Text(max_length=500)
    quantity = Exact()
    unit_amount = Exact(allow_negative=True)
    tax_class = Text(max_length=32, default=STANDARD, required=False, help_text=TAX_CLASS)
    is_tax_included = serializers.BooleanField(
        default=False, required=False, help_text="Whether the unit amount has its tax in it."
    )


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

    `amount` is before discounts, `discount` what coupons take off it; a credit is negative. `tax`
    is contained in the amount where `is_tax_included`. `tax_category` is a code of EN 16931.
    """

    id = serializers.UUIDField(allow_null=True, help_text="Null of what is only foreseen.")
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
    tax = Amount()
    tax_rate = Exact(help_text="A percentage.")
    tax_category = serializers.ChoiceField(_CATEGORIES, allow_null=True)
    tax_class = serializers.CharField()
    is_tax_included = serializers.BooleanField()
    proration = ShareOutput(allow_null=True)


class PaymentOutput(Answer):
    """A payment, and how much of it settles this invoice."""

    id = serializers.UUIDField()
    gateway = serializers.CharField()
    amount = Amount()
    currency = serializers.CharField()
    received_at = Instant()


class CreditedOutput(Answer):
    """What a credit note took back, and where it went: off what is owed, to credit, back."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    total = Amount()
    to_due = Amount()
    to_credit = Amount()
    to_refund = Amount()
    issued_at = Instant()


class TaxOutput(Answer):
    """What the invoice says of one tax: the net amounts it is levied on, and how much it is."""

    category = serializers.ChoiceField(_CATEGORIES)
    rate = Exact(help_text="A percentage.")
    country = serializers.CharField()
    region = serializers.CharField()
    base = Amount()
    amount = Amount()
    note = serializers.CharField(help_text="The sentence that law asks for; empty for none.")


@extend_schema_serializer(component_name="Invoice")
class InvoiceOutput(Answer):
    """What a customer owes and why. Money is in `currency`.

    `subtotal` − `discount` + the tax that is not included in the lines = `total`.
    """

    id = serializers.UUIDField()
    number = serializers.CharField(allow_null=True)
    payment_reference = serializers.CharField(
        allow_null=True,
        help_text="What a transfer says to be matched by itself (ISO 11649); null while a draft.",
    )
    status = Word(InvoiceStatus)
    customer = serializers.UUIDField()
    subscription = serializers.UUIDField(allow_null=True)
    currency = serializers.CharField()
    lines = LineOutput(many=True)
    subtotal = Amount()
    discount = Amount()
    tax = Amount()
    taxes = TaxOutput(many=True)
    total = Amount()
    total_excluding_tax = Amount()
    amount_paid = Amount()
    credit_applied = Amount(help_text="What the customer's credit settled.")
    amount_due = Amount()
    seller = SellerOutput()
    buyer = BuyerOutput()
    notes: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=serializers.CharField(), help_text="Sentences that law asks for."
    )
    purpose = Word(InvoicePurpose)
    hold_reason = serializers.CharField(
        allow_null=True,
        help_text="What a draft waits for before it is finalized by itself: `tax_number`.",
    )
    issued_at = Instant(allow_null=True)
    due_at = Instant(allow_null=True)
    paid_at = Instant(allow_null=True)
    period_start = Instant(allow_null=True)
    period_end = Instant(allow_null=True)
    instalments = InstalmentOutput(many=True)
    payments = PaymentOutput(many=True)
    credit_notes = CreditedOutput(many=True)
    version = serializers.IntegerField()
    created_at = Instant()

    def to_representation(self, invoice: Invoice) -> dict[str, Any]:
        """Sums come from the journal and the allocations; `context["due"]` has what is owed."""
        lines = list(invoice.lines.all())
        allocations = list(invoice.allocations.all())
        code = invoice.currency
        same = ("number", "status", "currency", "seller", "buyer", "issued_at", "due_at", "notes")
        rest = ("paid_at", "version", "created_at", "total", "period_start", "period_end")
        shown = {
            **{name: getattr(invoice, name) for name in (*same, *rest)},
            "id": invoice.pk,
            "payment_reference": references.creditor_reference(invoice.number or "") or None,
            "customer": invoice.customer_id,
            "subscription": invoice.subscription_id,
            "lines": [stored_line(line) for line in lines],
            "subtotal": invoice.subtotal,
            "discount": invoice.discount,
            "tax": invoice.tax,
            "taxes": [stored_tax(row, code) for row in invoice.tax_totals],
            "total_excluding_tax": invoice.net,
            "purpose": invoice.purpose,
            "hold_reason": invoice.hold_reason or None,
            "amount_paid": Money(sum(row.amount_minor for row in allocations), code),
            "credit_applied": Money(self.context["credit"].get(invoice.pk, 0), code),
            "instalments": self.context["instalments"].get(invoice.pk, []),
            "amount_due": _due(invoice, self.context["due"][invoice.pk]),
            "payments": [_payment(row) for row in allocations],
            "credit_notes": [_credited(row) for row in invoice.credit_notes.all()],
        }
        return super().to_representation(shown)


def readable() -> QuerySet[Invoice]:
    """With everything that is shown at hand, in as many queries for a hundred as for one."""
    return Invoice.objects.prefetch_related(
        Prefetch("lines", InvoiceLine.objects.order_by("position")),
        Prefetch(
            "allocations",
            Allocation.objects.standing().select_related("payment").order_by("pk"),
        ),
        Prefetch("credit_notes", CreditNote.objects.order_by("issued_at", "pk")),
    )


def show(invoices: list[Invoice]) -> list[dict[str, Any]]:
    """Invoices as they are answered."""
    due = balances.due_on(invoices)
    return InvoiceOutput.all_of(
        invoices,
        due=due,
        credit=balances.credit_on(invoices),
        instalments=instalments.agreed(invoices, due),
    )


def _due(invoice: Invoice, owed_minor: int) -> Money:
    """What is owed by the journal; of a draft, which is not in it yet, what it will ask for."""
    if invoice.status == InvoiceStatus.DRAFT:
        return invoice.total
    return Money(owed_minor, invoice.currency)


def stored_line(line: InvoiceLine) -> dict[str, Any]:
    """What is shown of a line."""
    times = {"period_start": line.period_start, "period_end": line.period_end}
    return {
        **_shown(line),
        **times,
        "id": line.pk,
        "quantity": line.quantity,
        "tiers": line.tiers,
        "tax": line.tax,
        "tax_rate": figures.plain(line.tax_rate),
        "tax_category": line.tax_category or None,
    }


def foreseen_line(line: Line) -> dict[str, Any]:
    """What would be shown of a line that is only foreseen."""
    return {
        **_shown(line),
        **_foreseen_tax(line),
        "id": None,
        "period_start": line.period.start if line.period else None,
        "period_end": line.period.end if line.period else None,
        "quantity": figures.stored(line.quantity),
        "tiers": [share.to_json() for share in line.tiers],
    }


def foreseen_tax(found: TaxTotal) -> dict[str, Any]:
    """What would be shown of one tax."""
    return stored_tax(drafting.tax_total(found), found.base.currency)


def stored_tax(row: dict[str, Any], code: str) -> dict[str, Any]:
    """What is shown of one tax of a document, as it was frozen."""
    return {
        **{name: row[name] for name in ("category", "country", "region", "note")},
        "rate": row["percent"],
        "base": Money(row["base_minor"], code),
        "amount": Money(row["amount_minor"], code),
    }


def _foreseen_tax(line: Line) -> dict[str, Any]:
    tax = line.tax
    return {
        "tax": Money(line.tax_minor or 0, line.amount.currency),
        "tax_rate": figures.plain(tax.percent) if tax else "0",
        "tax_category": tax.category if tax else None,
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
        "tax_class": line.tax_class,
        "is_tax_included": line.is_tax_included,
        "proration": _share(line.share),
    }


def _share(share: Share | None) -> dict[str, Any] | None:
    """A share of a whole interval; nothing where it is the whole."""
    if share is None or share.is_whole:
        return None
    return {"used": share.used, "whole": share.whole, "unit": share.unit}


def _credited(row: CreditNote) -> dict[str, Any]:
    goes = {name: getattr(row, f"{name}_minor") for name in ("to_due", "to_credit", "to_refund")}
    return {
        "id": row.pk,
        "number": row.number,
        "total": row.total,
        **{name: major(minor, row.currency) for name, minor in goes.items()},
        "issued_at": row.issued_at,
    }


def _payment(row: Allocation) -> dict[str, Any]:
    return {
        "id": row.payment_id,
        "gateway": row.payment.gateway,
        "amount": major(row.amount_minor, row.payment.currency),
        "currency": row.payment.currency,
        "received_at": row.payment.received_at,
    }
