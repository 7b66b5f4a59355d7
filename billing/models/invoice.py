"""Invoices, their lines, and the instalments they may be paid in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import StrIndex, Upper
from uuid_utils.compat import uuid7

from billing.core.invoicing import LineKind
from billing.core.lifecycle import COLLECTIBLE, InvoiceStatus
from billing.core.money import Money
from billing.core.proration import Share
from billing.core.taxes import TaxCategory
from billing.models.choices import choices, one_of
from billing.models.seller import InvoiceSeries, Seller
from billing.models.subscription import BillingPeriod, Subscription
from customers.models import Customer, TestClock


class InvoicePurpose(StrEnum):
    """SALE: of goods and services. CREDIT: of prepaid credit. TOP_UP: that, by itself."""

    SALE = "SALE"
    CREDIT = "CREDIT"
    TOP_UP = "TOP_UP"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    """Questions about invoices."""

    def readable(self) -> Self:
        """With customer at hand and lines, payments fetched."""
        return self.select_related("customer__test_clock").prefetch_related(
            "lines", "allocations__payment"
        )

    def collectible(self) -> Self:
        """Finalized and still owed."""
        return self.filter(status__in=COLLECTIBLE)

    def named_in(self, text: str) -> Self:
        """Those whose number, of its letters and digits alone, is a part of such a text."""
        bare = Upper(
            Func(
                F("number"), Value("[^A-Za-z0-9]"), Value(""), Value("g"), function="regexp_replace"
            )
        )
        found = StrIndex(Value(text), bare, output_field=models.IntegerField())
        return self.exclude(number=None).alias(place=found).filter(place__gt=0)

    def due_for_charge(self, now: datetime, clock: TestClock | None) -> Self:
        """Those whose next charge is due, of one clock's customers or of all others."""
        return self.collectible().filter(next_charge_at__lte=now, customer__test_clock=clock)


class Invoice(models.Model):
    """What a customer owes and why. Frozen once it has a number: a trigger refuses edits.

    `seller`, `buyer`, `tax_totals` and `notes` hold, from finalizing on, all that law asks of the
    document. `issuer` writes it: None is the default seller. With a `hold_reason` a draft waits
    for something, and is finalized by itself when that comes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    subscription = models.ForeignKey(
        Subscription, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    series = models.ForeignKey(
        InvoiceSeries, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    sequence = models.PositiveBigIntegerField(null=True, blank=True)
    number = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001  # NULLs differ
    issuer = models.ForeignKey(
        Seller, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    purpose = models.CharField(
        max_length=8, choices=choices(InvoicePurpose), default=InvoicePurpose.SALE
    )
    status = models.CharField(
        max_length=24, choices=choices(InvoiceStatus), default=InvoiceStatus.DRAFT
    )
    hold_reason = models.CharField(max_length=32, blank=True, default="")
    currency = models.CharField(max_length=3)
    subtotal_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    tax_totals: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    notes: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    seller: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    buyer: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    next_charge_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_by = models.CharField(max_length=255, default="", blank=True)
    created_at = models.DateTimeField()

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", InvoiceStatus, name="invoice_status_known"),
            one_of("purpose", InvoicePurpose, name="invoice_purpose_known"),
            models.UniqueConstraint(
                fields=["customer", "currency"],
                condition=Q(
                    purpose=InvoicePurpose.TOP_UP,
                    status__in=[InvoiceStatus.DRAFT, *sorted(COLLECTIBLE)],
                ),
                name="one_open_top_up_per_customer",
            ),
            models.CheckConstraint(
                condition=Q(hold_reason="") | Q(status=InvoiceStatus.DRAFT),
                name="only_a_draft_is_held",
            ),
            models.UniqueConstraint(fields=["number", "series"], name="invoice_number_once"),
            models.UniqueConstraint(fields=["series", "sequence"], name="invoice_sequence_once"),
            models.CheckConstraint(
                condition=Q(
                    number__isnull=True,
                    series__isnull=True,
                    sequence__isnull=True,
                    issued_at__isnull=True,
                    status__in=[InvoiceStatus.DRAFT, InvoiceStatus.CANCELED],
                )
                | Q(
                    number__isnull=False,
                    series__isnull=False,
                    sequence__isnull=False,
                    issued_at__isnull=False,
                )
                & ~Q(status=InvoiceStatus.DRAFT),
                name="numbered_exactly_when_finalized",
            ),
            models.CheckConstraint(
                condition=Q(paid_at__isnull=False)
                | ~Q(status__in=["PAID", "REFUNDED", "IN_PROTEST", "CHARGEBACK"]),
                name="paid_invoice_says_when",
            ),
            models.CheckConstraint(
                condition=Q(total_minor__gte=0), name="invoice_total_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-created_at"], name="invoice_of_customer"),
            models.Index(
                fields=["next_charge_at"],
                condition=Q(next_charge_at__isnull=False),
                name="invoice_due_for_charge",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(status__in=sorted(COLLECTIBLE)),
                name="invoice_overdue",
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"draft {self.pk}"

    @property
    def total(self) -> Money:
        """What it asks for."""
        return Money(self.total_minor, self.currency)

    @property
    def discount(self) -> Money:
        """What coupons took off."""
        return Money(self.discount_minor, self.currency)

    @property
    def subtotal(self) -> Money:
        """The lines before discounts, as stated."""
        return Money(self.subtotal_minor, self.currency)

    @property
    def tax(self) -> Money:
        """All tax, included in the lines' amounts or not."""
        return Money(self.tax_minor, self.currency)

    @property
    def net(self) -> Money:
        """The total without tax."""
        return self.total - self.tax

    @property
    def is_finalized(self) -> bool:
        """Whether it has its number and is frozen."""
        return self.number is not None


class InvoiceLineQuerySet(models.QuerySet["InvoiceLine"]):
    """Questions about lines."""

    def waiting(self) -> Self:
        """Those that the next invoice of their customer takes up, oldest first."""
        return self.filter(invoice=None, credit_note=None).order_by("created_at", "pk")


class InvoiceLine(models.Model):
    """One line: what, how many, at which rate, how much, and how that came about.

    `unit_amount` is None where `tiers` say what each contributed. `discount_minor` is None while
    it is not reckoned, `tax_minor` while its invoice can still change; `discount_rate` is the part
    that percentages took off, `tax_rate` a percentage. Without an invoice the line waits for the
    customer's next one, unless a `credit_note` gave it back because there will be none.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.CASCADE, related_name="lines"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    billing_period = models.ForeignKey(
        BillingPeriod, null=True, blank=True, on_delete=models.PROTECT, related_name="lines"
    )
    position = models.PositiveIntegerField(null=True, blank=True)
    credit_note = models.ForeignKey(
        "billing.CreditNote",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # nearly all are null, and the planner would find them by that
    )
    kind = models.CharField(max_length=12, choices=choices(LineKind))
    description = models.CharField(max_length=500)
    quantity = models.DecimalField(max_digits=38, decimal_places=12)
    unit_amount = models.DecimalField(max_digits=38, decimal_places=12, null=True, blank=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(null=True, blank=True)
    discount_rate = models.DecimalField(max_digits=13, decimal_places=12, default=0)
    tax_class = models.CharField(max_length=32, default="standard")
    is_tax_included = models.BooleanField(default=False)
    tax_minor = models.BigIntegerField(null=True, blank=True)
    tax_category = models.CharField(
        max_length=2, blank=True, default="", choices=choices(TaxCategory)
    )
    tax_rate = models.DecimalField(max_digits=15, decimal_places=12, default=0)
    tax_country = models.CharField(max_length=2, blank=True, default="")
    tax_region = models.CharField(max_length=16, blank=True, default="")
    explanation = models.TextField()
    tiers: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    meter = models.CharField(max_length=64, blank=True, default="")
    component = models.CharField(max_length=255, blank=True, default="")
    plan_id = models.UUIDField(null=True, blank=True)
    share_used = models.BigIntegerField(null=True, blank=True)
    share_whole = models.BigIntegerField(null=True, blank=True)
    share_unit = models.CharField(max_length=8, blank=True, default="")
    created_at = models.DateTimeField()

    objects = InvoiceLineQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", LineKind, name="line_kind_known"),
            models.UniqueConstraint(fields=["invoice", "position"], name="line_position_once"),
            models.UniqueConstraint(
                fields=["billing_period", "component"],
                condition=Q(kind=LineKind.USAGE),
                name="usage_billed_once_per_period",
            ),
            models.CheckConstraint(
                condition=Q(invoice=None, position=None)
                | Q(invoice__isnull=False, position__isnull=False, discount_minor__isnull=False),
                name="line_waits_or_has_its_place",
            ),
            models.CheckConstraint(
                condition=Q(invoice=None) | Q(credit_note=None),
                name="line_is_billed_or_given_back",
            ),
            models.CheckConstraint(
                condition=Q(period_start=None, period_end=None)
                | Q(period_end__gt=F("period_start")),
                name="line_period_has_a_length",
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer"],
                condition=Q(invoice=None, credit_note=None),
                name="line_that_waits",
            ),
        ]

    def __str__(self) -> str:
        return self.description

    @property
    def amount(self) -> Money:
        """Before discounts; negative for a credit."""
        return Money(self.amount_minor, self.currency)

    @property
    def discount(self) -> Money:
        """What coupons took off."""
        return Money(self.discount_minor or 0, self.currency)

    @property
    def tax(self) -> Money:
        """The tax on it; contained in the amount where `is_tax_included`."""
        return Money(self.tax_minor or 0, self.currency)

    @property
    def net(self) -> Money:
        """After discounts, without tax: what is earned by it."""
        stated = self.amount - self.discount
        return stated - self.tax if self.is_tax_included else stated

    @property
    def share(self) -> Share | None:
        """What part of a whole interval it is for; None where it is for no period."""
        if self.share_used is None or self.share_whole is None:
            return None
        return Share(self.share_used, self.share_whole, self.share_unit)


class Instalment(models.Model):
    """A part of an invoice, due on a day of its own. Payments settle the earliest parts first."""

    id = models.BigAutoField(primary_key=True)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="instalments")
    position = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField()
    due_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "position"], name="instalment_position_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="instalment_amount_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.invoice_id}"
