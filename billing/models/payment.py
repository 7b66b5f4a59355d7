"""Payment methods, and the money they bring."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.core.lifecycle import (
    OPEN_ATTEMPTS,
    UNSENT_ATTEMPTS,
    WAITING_ATTEMPTS,
    ActionKind,
    AttemptStatus,
)
from billing.core.money import Money
from billing.models.choices import choices, one_of
from billing.models.invoice import Invoice
from billing.models.sending import Sendable, decided_for_unknown, due
from customers.models import Customer


class GatewayCustomer(models.Model):
    """What a gateway calls one of our customers."""

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    gateway = models.CharField(max_length=32)
    external_id = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "gateway"], name="one_gateway_customer_each"
            ),
            models.UniqueConstraint(
                fields=["gateway", "external_id"], name="gateway_customer_known_once"
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class PaymentMethodQuerySet(models.QuerySet["PaymentMethod"]):
    """Questions about payment methods."""

    def usable(self) -> Self:
        """Not removed."""
        return self.filter(removed_at=None)

    def expiring(self, year: int, month: int) -> Self:
        """Charged by default, and good until the end of that month."""
        return self.usable().filter(is_default=True, exp_year=year, exp_month=month)


# Kinds of payment methods for people; a gateway may know others.
KIND_WORDS: Final = {
    "card": "Card",
    "sepa_debit": "SEPA direct debit",
    "pix": "Pix",
    "paypal": "PayPal",
    "bank_transfer": "Bank transfer",
}


class PaymentMethod(models.Model):
    """A card or account at a gateway. Only redacted details are ever here."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payment_methods")
    gateway = models.CharField(max_length=32)
    external_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=32)
    brand = models.CharField(max_length=32, blank=True, default="")
    last4 = models.CharField(max_length=4, blank=True, default="")
    exp_month = models.PositiveSmallIntegerField(null=True, blank=True)
    exp_year = models.PositiveSmallIntegerField(null=True, blank=True)
    is_default = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = PaymentMethodQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "external_id"], name="payment_method_known_once"
            ),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(is_default=True),
                name="one_default_payment_method",
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(removed_at=None),
                name="a_removed_method_is_no_default",
            ),
        ]

    def __str__(self) -> str:
        name = self.brand.capitalize() or KIND_WORDS.get(self.kind, self.kind)
        return f"{name} •••• {self.last4}" if self.last4 else name


class CheckoutStatus(StrEnum):
    """What we know of a visit to a gateway's page; the gateway decides."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


class CheckoutSession(models.Model):
    """One visit to a gateway's page to set a payment method up."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    gateway = models.CharField(max_length=32)
    kind = models.CharField(max_length=32, blank=True, default="")
    route_reason = models.CharField(max_length=255, blank=True, default="")
    external_id = models.CharField(max_length=255, blank=True, default="")
    url = models.URLField(max_length=2000, blank=True, default="")
    status = models.CharField(
        max_length=12, choices=choices(CheckoutStatus), default=CheckoutStatus.OPEN
    )
    makes_default = models.BooleanField(default=True)
    failure = models.CharField(max_length=255, blank=True, default="")
    payment_method = models.ForeignKey(
        PaymentMethod, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    ask_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("status", CheckoutStatus, name="checkout_status_known"),
            models.UniqueConstraint(
                fields=["gateway", "external_id"],
                condition=~Q(external_id=""),
                name="checkout_session_known_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.status.lower()}"


class PaymentAttemptQuerySet(models.QuerySet["PaymentAttempt"]):
    """Questions about attempts."""

    def unsent(self) -> Self:
        """Those whose outcome only sending them (again, by the same key) will tell."""
        return self.filter(status__in=UNSENT_ATTEMPTS, is_undecided=False)

    def to_send(self, now: datetime) -> Self:
        """Those that are to be sent by now."""
        return self.unsent().filter(due(now))

    def to_ask(self, now: datetime) -> Self:
        """Those that wait at their gateway, and are to be asked about by now."""
        return self.filter(status__in=WAITING_ATTEMPTS, ask_at__lte=now)

    def open(self) -> Self:
        """Whose outcome is not known yet."""
        return self.filter(status__in=OPEN_ATTEMPTS)

    def in_flight(self) -> Self:
        """Open, and not merely instructions how to transfer the money."""
        return self.open().exclude(
            status=AttemptStatus.ACTION_REQUIRED, action__kind=ActionKind.TRANSFER
        )


class PaymentAttempt(Sendable):
    """One charge of one invoice at one gateway. Its id is the gateway's idempotency key.

    While it is ACTION_REQUIRED, `action` is what the payer has to do: the kind, url, code and
    expires_at of the gateway's `Action`; after `expires_at` we withdraw it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="attempts")
    payment_method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="+")
    gateway = models.CharField(max_length=32)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    is_hard_decline = models.BooleanField(default=False)
    route_reason = models.CharField(max_length=255, blank=True, default="")
    action: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = PaymentAttemptQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", AttemptStatus, name="attempt_status_known"),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(status__in=sorted(OPEN_ATTEMPTS)),
                name="one_open_attempt_per_invoice",
            ),
            models.UniqueConstraint(
                fields=["gateway", "external_id"],
                condition=~Q(external_id=""),
                name="attempt_known_once",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="attempt_amount_positive"),
            models.CheckConstraint(
                condition=Q(status=AttemptStatus.ACTION_REQUIRED, action__isnull=False)
                | (~Q(status=AttemptStatus.ACTION_REQUIRED) & Q(action=None, expires_at=None)),
                name="an_attempt_that_waits_says_for_what",
            ),
            decided_for_unknown("attempt_decided_if_unknown"),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=sorted(UNSENT_ATTEMPTS)),
                name="attempt_unsent",
            ),
            models.Index(
                fields=["ask_at"],
                condition=Q(status__in=sorted(WAITING_ATTEMPTS)),
                name="attempt_waiting",
            ),
            models.Index(
                fields=["created_at"], condition=Q(is_undecided=True), name="attempt_undecided"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.status.lower()}"

    @property
    def amount(self) -> Money:
        """What is asked of the gateway."""
        return Money(self.amount_minor, self.currency)


class Payment(models.Model):
    """Money that was received: by a gateway on an attempt, or another way, by an operator's word.

    What is over its allocations is the customer's credit.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    gateway = models.CharField(max_length=32)
    attempt = models.OneToOneField(
        PaymentAttempt, null=True, blank=True, on_delete=models.PROTECT, related_name="payment"
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=255, blank=True, default="")
    received_at = models.DateTimeField()
    reversed_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_amount_positive"),
        ]
        indexes = [
            models.Index(fields=["customer", "-received_at"], name="payment_of_customer"),
        ]

    def __str__(self) -> str:
        return str(self.amount)

    @property
    def amount(self) -> Money:
        """What was received."""
        return Money(self.amount_minor, self.currency)


class AllocationQuerySet(models.QuerySet["Allocation"]):
    """Questions about allocations."""

    def standing(self) -> Self:
        """Not reversed."""
        return self.filter(reversed_at=None)


class Allocation(models.Model):
    """How much of a payment settles which invoice. A wrong one is reversed, never edited."""

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    amount_minor = models.BigIntegerField()
    reversed_at = models.DateTimeField(null=True, blank=True)
    reversed_by = models.CharField(max_length=255, blank=True, default="")

    objects = AllocationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "invoice"],
                condition=Q(reversed_at=None),
                name="one_standing_allocation_per_invoice",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="allocation_amount_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} to {self.invoice_id}"
