"""Money that goes back: refunds by us, disputes by the customer's bank."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.core.lifecycle import UNSENT_ATTEMPTS, AttemptStatus, DisputeStatus
from billing.core.money import Money
from billing.models.choices import choices, one_of
from billing.models.credit_note import CreditNote
from billing.models.payment import Payment
from billing.models.sending import Sendable, decided_for_unknown, due
from customers.models import Customer


class RefundQuerySet(models.QuerySet["Refund"]):
    """Questions about refunds."""

    def unsent(self) -> Self:
        """Those whose outcome only sending them (again, by the same key) will tell.

        What came another way than through a gateway is paid out by a person.
        """
        return self.filter(
            status__in=UNSENT_ATTEMPTS, payment__attempt__isnull=False, is_undecided=False
        )

    def to_send(self, now: datetime) -> Self:
        """Those that are to be sent by now."""
        return self.unsent().filter(due(now))

    def to_ask(self, now: datetime) -> Self:
        """Those on their way at the gateway, and are to be asked about by now."""
        return self.filter(status=AttemptStatus.PROCESSING, ask_at__lte=now)


class Refund(Sendable):
    """Money of a payment that goes back by the way it came. Its id is the idempotency key.

    It is owed because of a credit note, or out of credit that the customer did not use.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    credit_note = models.ForeignKey(
        CreditNote, null=True, blank=True, on_delete=models.PROTECT, related_name="refunds"
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=255, blank=True, default="")
    version = models.PositiveIntegerField(default=1, editable=False)  # the database counts

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", AttemptStatus, name="refund_status_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_positive"),
            decided_for_unknown("refund_decided_if_unknown"),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=sorted(UNSENT_ATTEMPTS)),
                name="refund_unsent",
            ),
            models.Index(fields=["customer", "-created_at"], name="refund_of_customer"),
            models.Index(
                fields=["external_id"], condition=~Q(external_id=""), name="refund_at_gateway"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.status.lower()}"

    @property
    def amount(self) -> Money:
        """What goes back."""
        return Money(self.amount_minor, self.currency)


class DisputeSource(StrEnum):
    """Who contests."""

    CUSTOMER = "CUSTOMER"
    GATEWAY = "GATEWAY"


class Dispute(models.Model):
    """A payment that is contested: by the customer with us, or by their bank at the gateway.

    A gateway holds the money back meanwhile; a customer's own word moves none.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    source = models.CharField(max_length=8, choices=choices(DisputeSource))
    status = models.CharField(
        max_length=8, choices=choices(DisputeStatus), default=DisputeStatus.OPEN
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=255, blank=True, default="")
    external_id = models.CharField(max_length=255, blank=True, default="")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    evidence_due_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=255, blank=True, default="")
    version = models.PositiveIntegerField(default=1, editable=False)  # the database counts

    class Meta:
        constraints = [
            one_of("status", DisputeStatus, name="dispute_status_known"),
            one_of("source", DisputeSource, name="dispute_source_known"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(status="OPEN"), name="one_open_dispute_per_payment"
            ),
            models.CheckConstraint(
                condition=Q(status="OPEN", closed_at=None)
                | (~Q(status="OPEN") & Q(closed_at__isnull=False)),
                name="a_closed_dispute_says_when",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_amount_positive"),
        ]
        indexes = [
            models.Index(
                fields=["external_id"], condition=~Q(external_id=""), name="dispute_at_gateway"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.status.lower()}"

    @property
    def amount(self) -> Money:
        """What is contested."""
        return Money(self.amount_minor, self.currency)


class DisputeEvidence(models.Model):
    """What an operator answered a dispute with. Files went to the gateway and are not kept here:
    of each its name, size and SHA-256 digest are. `submitted_at` is when the gateway took it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="evidence")
    text = models.TextField(blank=True, default="")
    documents: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    created_by = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "dispute evidence"
        constraints = [
            models.UniqueConstraint(
                fields=["dispute"],
                condition=Q(submitted_at__isnull=False),
                name="a_dispute_is_answered_once",
            ),
        ]

    def __str__(self) -> str:
        return f"evidence on {self.dispute_id}"
