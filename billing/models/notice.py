"""What customers are told by mail beside dunning."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from uuid_utils.compat import uuid7

from billing.models.choices import choices, one_of
from customers.models import Customer


class NoticeKind(StrEnum):
    """Why: a payment waits for them, or their payment method is about to expire."""

    ACTION_REQUIRED = "ACTION_REQUIRED"
    METHOD_EXPIRING = "METHOD_EXPIRING"


class CustomerNotice(models.Model):
    """One thing that a customer is told once. `about` names it; its words name no person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=choices(NoticeKind))
    about = models.CharField(max_length=80)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    created_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("kind", NoticeKind, name="notice_kind_known"),
            models.UniqueConstraint(fields=["kind", "about"], name="told_once"),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(mailed_at=None),
                name="notice_unmailed",
            ),
        ]

    def __str__(self) -> str:
        return self.subject
