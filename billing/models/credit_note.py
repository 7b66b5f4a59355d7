"""Credit notes: what corrects a finalized invoice."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.core.money import Money
from billing.models.choices import choices, one_of
from billing.models.invoice import Invoice, InvoiceLine
from billing.models.seller import InvoiceSeries
from customers.models import Customer


class CreditReason(StrEnum):
    """Why something is credited.

    CANCELLATION: the invoice is void. RETURN: something was given back or never delivered.
    DISCOUNT: granted afterwards. REFUND: money goes back. CORRECTION: the invoice was wrong.
    """

    CANCELLATION = "CANCELLATION"
    RETURN = "RETURN"
    DISCOUNT = "DISCOUNT"
    REFUND = "REFUND"
    CORRECTION = "CORRECTION"


class CreditNote(models.Model):
    """Takes back all or part of a finalized invoice. Written once and never changed: a trigger.

    Its total first lessens what is owed on the invoice (`to_due_minor`); what was paid becomes
    the customer's credit (`to_credit_minor`) or is refunded (`to_refund_minor`).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    series = models.ForeignKey(InvoiceSeries, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveBigIntegerField()
    number = models.CharField(max_length=40)
    reason = models.CharField(max_length=12, choices=choices(CreditReason))
    note = models.CharField(max_length=500, blank=True, default="")
    currency = models.CharField(max_length=3)
    tax_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    to_due_minor = models.BigIntegerField()
    to_credit_minor = models.BigIntegerField()
    to_refund_minor = models.BigIntegerField()
    tax_totals: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    notes: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    seller: models.JSONField[Any, Any] = models.JSONField()
    buyer: models.JSONField[Any, Any] = models.JSONField()
    issued_at = models.DateTimeField()
    created_by = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            one_of("reason", CreditReason, name="credit_reason_known"),
            models.UniqueConstraint(
                fields=["series", "sequence"], name="credit_note_sequence_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    total_minor__gt=0,
                    to_due_minor__gte=0,
                    to_credit_minor__gte=0,
                    to_refund_minor__gte=0,
                    total_minor=F("to_due_minor") + F("to_credit_minor") + F("to_refund_minor"),
                ),
                name="credit_note_goes_somewhere",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-issued_at"], name="credit_note_of_customer"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def total(self) -> Money:
        """What is credited, with its tax."""
        return Money(self.total_minor, self.currency)

    @property
    def tax(self) -> Money:
        """The tax in it."""
        return Money(self.tax_minor, self.currency)


class CreditNoteLine(models.Model):
    """What is credited of one line of the invoice: net, and the tax on it; both positive."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines")
    invoice_line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="credited")
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=500)
    quantity = models.DecimalField(max_digits=38, decimal_places=12, null=True, blank=True)
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["credit_note", "position"], name="credit_note_position_once"
            ),
        ]

    def __str__(self) -> str:
        return self.description
