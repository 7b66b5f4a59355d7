"""Credit that customers have with us: grants, and what was drawn from them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.core.money import Money
from billing.models.choices import choices, one_of
from billing.models.credit_note import CreditNote
from billing.models.invoice import Invoice
from billing.models.payment import Payment
from billing.models.subscription import BillingPeriod
from customers.models import Customer


class GrantKind(StrEnum):
    """PAID: there is money of the customer's behind it. PROMOTIONAL: it is a present."""

    PAID = "PAID"
    PROMOTIONAL = "PROMOTIONAL"


class CreditGrantQuerySet(models.QuerySet["CreditGrant"]):
    """Questions about grants."""

    def usable(self, now: datetime) -> Self:
        """In force, with something left, in the order they are drawn."""
        in_force = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(in_force, remaining_minor__gt=0, effective_at__lte=now).order_by(
            F("expires_at").asc(nulls_last=True), "priority", "effective_at", "pk"
        )

    def expired(self, now: datetime) -> Self:
        """Out of force, with something left."""
        return self.filter(expires_at__lte=now, remaining_minor__gt=0)


class CreditGrant(models.Model):
    """Credit given to a customer once. What is left is what no draw has taken.

    Drawn in order of expiry; of those that expire together, the lowest `priority` first. It came
    of a payment, a credit note or a paid invoice over credit, or was given by an operator.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=choices(GrantKind))
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    remaining_minor = models.BigIntegerField()
    priority = models.PositiveSmallIntegerField(default=50)
    reason = models.CharField(max_length=255, blank=True, default="")
    effective_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    payment = models.ForeignKey(
        Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="grants"
    )
    credit_note = models.ForeignKey(
        CreditNote, null=True, blank=True, on_delete=models.PROTECT, related_name="grants"
    )
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="grants"
    )
    created_by = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()

    objects = CreditGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", GrantKind, name="grant_kind_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, remaining_minor__gte=0)
                & Q(remaining_minor__lte=F("amount_minor")),
                name="a_grant_is_never_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("effective_at")),
                name="grant_expires_after_it_begins",
            ),
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(invoice__isnull=False), name="credit_sold_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer"], condition=Q(remaining_minor__gt=0), name="grant_with_rest"
            ),
            models.Index(
                fields=["expires_at"], condition=Q(remaining_minor__gt=0), name="grant_to_expire"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {Money(self.amount_minor, self.currency)}"

    @property
    def amount(self) -> Money:
        """What was given."""
        return Money(self.amount_minor, self.currency)

    @property
    def remaining(self) -> Money:
        """What is left."""
        return Money(self.remaining_minor, self.currency)


class DrawKind(StrEnum):
    """What credit was drawn for.

    INVOICE: paid one. USAGE: paid for prepaid usage as it happened. REFUND: the money went back.
    EXPIRY: it lapsed. VOID: an operator took it back, or its payment was undone.
    """

    INVOICE = "INVOICE"
    USAGE = "USAGE"
    REFUND = "REFUND"
    EXPIRY = "EXPIRY"
    VOID = "VOID"


class CreditDraw(models.Model):
    """Something taken from a grant; negative where it was given back. Never changed: a trigger."""

    id = models.BigAutoField(primary_key=True)
    grant = models.ForeignKey(CreditGrant, on_delete=models.PROTECT, related_name="draws")
    kind = models.CharField(max_length=8, choices=choices(DrawKind))
    amount_minor = models.BigIntegerField()
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="draws"
    )
    billing_period = models.ForeignKey(
        BillingPeriod, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_by = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            one_of("kind", DrawKind, name="draw_kind_known"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="a_draw_draws_something"),
        ]

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.amount_minor}"
